import { describe, expect, it } from 'vitest';
import { faultsOf, type Members, plan } from './plan.ts';

const members: Members = {
  prepare: [{ text: 'BYTES -1' }, { codes: 'INT32 -1,-1' }],
  small: [{ codes: 'INT64 -1,-1' }, { label: 'BYTES -1', probability: 'FP32 -1' }],
  tree: [{ x: 'FP32 -1,4' }, { p: 'FP32 -1,3' }],
  net: [{ x: 'FP32 -1,-1' }, { p: 'FP32 -1,-1' }],
};

describe('a sequence of two', () => {
  const graph = {
    steps: [
      { name: 'answer', model: 'small', in: { codes: { from: 'prepare.codes', cast: 'INT64' } } },
      { name: 'prepare', model: 'prepare' },
    ],
    outputs: { label: 'answer.label' },
  };

  it('is planned in the order in which it can run', () => {
    const planned = plan(graph, members);
    expect(planned.steps.map(({ name, needs }) => [name, needs])).toEqual([
      ['prepare', []],
      ['answer', ['prepare']],
    ]);
    expect(planned.rowWise).toBe(true);
    expect(planned.warnings).toEqual([]);
  });

  it('takes what its first member takes and gives what it names', () => {
    const { signature, outputs } = plan(graph, members);
    expect(signature.inputs).toEqual([{ name: 'text', datatype: 'BYTES', shape: [-1] }]);
    expect(signature.outputs).toEqual([{ name: 'label', datatype: 'BYTES', shape: [-1] }]);
    expect(outputs.get('label')).toEqual({ step: 'answer', tensor: 'label' });
  });

  it('says what fits where the types differ', () => {
    const steps = [
      { name: 'prepare', model: 'prepare' },
      { name: 'answer', model: 'small', in: { codes: 'prepare.codes' } },
    ];
    expect(faultsOf({ steps }, members)).toEqual([
      'steps.1.in.codes: small 1 takes INT64 [-1,-1], prepare.codes is INT32 [-1,-1]; add "cast": "INT64"',
    ]);
  });
});

describe('an ensemble', () => {
  const ensemble = (more: object) => ({
    steps: [
      { name: 'a', model: 'tree' },
      { name: 'b', model: 'net' },
      { name: 'mean', combine: 'mean', of: ['a.p', 'b.p'], ...more },
    ],
  });

  it('gives the outputs of its last step, of the shape that all members allow', () => {
    const { signature, steps } = plan(ensemble({ index: true, weights: [2, 1] }), members);
    expect(signature).toEqual({
      inputs: [{ name: 'x', datatype: 'FP32', shape: [-1, 4] }],
      outputs: [
        { name: 'value', datatype: 'FP32', shape: [-1, 3] },
        { name: 'count', datatype: 'INT64', shape: [-1] },
        { name: 'index', datatype: 'INT64', shape: [-1] },
      ],
    });
    expect(steps.at(-1)).toMatchObject({ kind: 'combine', weights: [2, 1], quorum: 2, nan: 'propagate', axis: -1 });
    expect(steps.map(({ required }) => required)).toEqual([true, true, true]);
  });

  it('does without members where it has a quorum', () => {
    const { steps } = plan(ensemble({ quorum: 1, waitMs: 5 }), members);
    expect(steps.map(({ required }) => required)).toEqual([false, false, true]);
  });
});
