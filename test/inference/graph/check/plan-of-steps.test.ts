import { describe, expect, it } from 'vitest';
import { hasRules } from '../../../../src/inference/graph/check/compile-rules.ts';
import { graphDefinitionSchema } from '../../../../src/inference/graph/graph-definition.ts';
import { elementCount, float32, int64, type Tensor, text } from '../../../../src/tensor/tensor.ts';
import { type Members, plan, rulesOf } from './plan.ts';

const members: Members = {
  prepare: [{ text: 'BYTES -1' }, { codes: 'INT32 -1,-1' }],
  small: [{ codes: 'INT64 -1,-1' }, { label: 'BYTES -1', probability: 'FP32 -1' }],
  large: [{ codes: 'INT64 -1,8' }, { label: 'BYTES -1', probability: 'FP32 -1,1' }],
  tree: [{ x: 'FP32 -1,4' }, { p: 'FP32 -1,3' }],
  net: [{ x: 'FP32 -1,-1' }, { p: 'FP32 -1,-1' }],
  any: [{ x: 'FP32' }, { y: 'FP32' }],
  column: [{ x: 'FP32 -1,1' }, { p: 'FP32 -1,3' }],
  picture: [{ pixels: 'UINT8 -1,28,28' }, { y: 'FP32 -1' }],
  halves: [{ x: 'FP16 -1' }, { y: 'FP16 -1' }],
  flags: [{ x: 'BOOL -1,2' }, { y: 'INT32 -1' }],
  fixed: [{ x: 'FP32 8,4' }, { y: 'FP32 8' }],
};

const inputsOf = (graph: object) =>
  Object.fromEntries(
    plan(graph, members).signature.inputs.map(({ name, datatype, shape }) => [name, `${datatype} ${shape}`]),
  );

describe('inputs of a graph', () => {
  it.each([
    ['one member', [{ name: 'a', model: 'tree' }], { x: 'FP32 -1,4' }],
    [
      'two members',
      [
        { name: 'n', model: 'net' },
        { name: 'a', model: 'tree' },
      ],
      { x: 'FP32 -1,4' },
    ],
    ['another name', [{ name: 'a', model: 'tree', in: { x: 'input.features' } }], { features: 'FP32 -1,4' }],
    [
      'columns',
      [{ name: 'a', model: 'tree', in: { x: { from: 'input.x', columns: [3, 2, 1, 0] } } }],
      { x: 'FP32 -1,-1' },
    ],
    [
      'an unknown rank',
      [
        { name: 'a', model: 'any' },
        { name: 'b', model: 'tree' },
      ],
      { x: 'FP32 -1,4' },
    ],
    ['an unknown rank alone', [{ name: 'a', model: 'any' }], { x: 'FP32 ' }],
    [
      'a cast beside a plain use',
      [
        { name: 'a', model: 'tree', in: { x: { from: 'input.v', cast: 'FP32' } } },
        { name: 'b', model: 'small', in: { codes: 'input.v' } },
      ],
      { v: 'INT64 -1,4' },
    ],
  ])('come from %s', (_, steps, inputs) => {
    expect(inputsOf({ steps })).toEqual(inputs);
  });

  it('are as they are declared where nothing else says it', () => {
    const steps = [{ name: 'a', model: 'tree', in: { x: { from: 'input.raw', cast: 'FP32', reshape: [-1, 4] } } }];
    expect(inputsOf({ steps, inputs: { raw: { datatype: 'UINT8', shape: [-1, 2, 2] } } })).toEqual({
      raw: 'UINT8 -1,2,2',
    });
  });

  it('are narrowed by what is declared', () => {
    const steps = [{ name: 'n', model: 'net' }];
    expect(inputsOf({ steps, inputs: { x: { shape: [-1, 6] } } })).toEqual({ x: 'FP32 -1,6' });
  });

  it('may be there for rules alone', () => {
    const rules = rulesOf({ 'input.tier > 1': { reads: [{ step: 'input', tensor: 'tier' }] } });
    const steps = [
      { name: 'a', model: 'tree' },
      { name: 'c', switch: [{ when: 'input.tier > 1', use: { p: 'a.p' } }], otherwise: 'refuse' },
    ];
    const { signature } = plan({ steps, inputs: { tier: { datatype: 'INT32', shape: [-1] } } }, members, rules);
    expect(signature.inputs.map(({ name }) => name)).toEqual(['tier', 'x']);
  });

  it('keep the names that members have for their dimensions', () => {
    const dimensions = ['batch', 4];
    const find = () =>
      ({
        index: 0,
        facts: {
          name: 'm',
          version: '1',
          signature: {
            inputs: [{ name: 'x', datatype: 'FP32', shape: [-1, 4], dimensions }],
            outputs: [{ name: 'y', datatype: 'FP32', shape: [-1, 4], dimensions }],
          },
        },
      }) as const;
    const { signature } = plan({ steps: [{ name: 'a', model: 'm' }] }, find);
    expect(signature.inputs[0]?.dimensions).toEqual(dimensions);
    expect(signature.outputs[0]?.dimensions).toEqual(dimensions);
  });
});

describe('wires', () => {
  const wireOf = (model: string, wire: unknown, input = 'x') => {
    const steps = [
      { name: 'next', model, in: { [input]: wire } },
      { name: 'a', model: 'tree' },
    ];
    const step = plan(
      { steps, outputs: { y: `next.${Object.keys(members[model]?.[1] ?? {})[0]}` } },
      members,
    ).steps.find(({ name }) => name === 'next');
    return step?.kind === 'model' ? step.call.inputs.get(input) : undefined;
  };

  it('keep what they do, and where they lead', () => {
    expect(wireOf('column', { from: 'a.p', cast: 'FP32', columns: [1] })).toEqual({
      from: { step: 'a', tensor: 'p' },
      columns: [1],
      to: { name: 'x', datatype: 'FP32', shape: [-1, 1] },
    });
    expect(wireOf('flags', { from: 'a.p', cast: 'BOOL', columns: [2, 0] })).toMatchObject({
      cast: 'BOOL',
      columns: [2, 0],
    });
  });

  it.each<[string, unknown, Tensor, string?]>([
    ['tree', { value: [1, 2, 3, 4.5] }, float32([1, 4], [1, 2, 3, 4.5])],
    ['column', { value: 7 }, float32([1, 1], [7])],
    ['any', { value: 7 }, float32([1], [7])],
    ['prepare', { value: 'hello' }, text([1], ['hello']), 'text'],
    [
      'small',
      { value: [1, '9223372036854775807', '-9007199254740993'] },
      int64([1, 3], [1, 9223372036854775807n, -9007199254740993n]),
      'codes',
    ],
    ['flags', { value: [true, false] }, { datatype: 'BOOL', shape: [1, 2], data: Uint8Array.of(1, 0) }],
    ['halves', { value: 1.5 }, { datatype: 'FP16', shape: [1], data: new Uint16Array(Float16Array.of(1.5).buffer) }],
    [
      'halves',
      { value: 'NaN' },
      { datatype: 'FP16', shape: [1], data: new Uint16Array(Float16Array.of(Number.NaN).buffer) },
    ],
    ['net', { value: [], cast: 'FP32' }, float32([1, 0], [])],
  ])('to %s may be a literal: %j', (model, wire, row, input) => {
    expect(wireOf(model, wire, input)?.from).toEqual({ row });
  });

  it('may be a literal of nested lists that is reshaped', () => {
    const wire = wireOf('tree', {
      value: [
        [1, 2],
        [3, 4],
      ],
      reshape: [-1, 4],
    });
    expect(wire).toMatchObject({ from: { row: float32([1, 2, 2], [1, 2, 3, 4]) }, reshape: [-1, 4] });
  });

  it('may be a whole picture', () => {
    const value = Array.from({ length: 28 }, () => Array.from({ length: 28 }, () => 255));
    const from = wireOf('picture', { value }, 'pixels')?.from;
    expect(from && 'row' in from && elementCount(from.row.shape)).toBe(784);
  });
});

describe('combinations', () => {
  const outputsOf = (combination: object) => {
    const steps = [
      { name: 'a', model: 'tree' },
      { name: 'b', model: 'net' },
      { name: 's', model: 'small' },
      { name: 'c', ...combination },
    ];
    const inputs = { codes: { datatype: 'INT64', shape: [-1, 4] } };
    return Object.fromEntries(
      plan({ steps, inputs }, members).signature.outputs.map(({ name, datatype, shape }) => [
        name,
        `${datatype} ${shape}`,
      ]),
    );
  };

  it.each([
    [
      { combine: 'mean', of: ['a.p', 'b.p'] },
      { value: 'FP32 -1,3', count: 'INT64 -1' },
    ],
    [
      { combine: 'mean', of: ['a.p', 'b.p'], index: true },
      { value: 'FP32 -1,3', count: 'INT64 -1', index: 'INT64 -1' },
    ],
    [
      { combine: 'max', of: ['a.p', 'b.p'] },
      { value: 'FP32 -1,3', from: 'BYTES -1,3', count: 'INT64 -1' },
    ],
    [
      { combine: 'vote', of: ['s.label'] },
      { value: 'BYTES -1', share: 'FP32 -1', count: 'INT64 -1' },
    ],
    [
      { combine: 'vote', of: ['input.codes'] },
      { value: 'INT64 -1,4', share: 'FP32 -1,4', count: 'INT64 -1' },
    ],
    [{ combine: 'concat', of: ['a.p', 'a.p'] }, { value: 'FP32 -1,6' }],
    [{ combine: 'concat', of: ['a.p', 'b.p'], axis: 1 }, { value: 'FP32 -1,-1' }],
    [{ combine: 'first', of: ['b', 'a'] }, { p: 'FP32 -1,3' }],
    [{ combine: 'fastest', of: ['a', 'b'] }, { p: 'FP32 -1,3' }],
  ])('%j', (combination, outputs) => {
    expect(outputsOf(combination)).toEqual(outputs);
  });

  it('of steps make them optional, unless they are said to be required or are outputs', () => {
    const steps = [
      { name: 'a', model: 'tree' },
      { name: 'b', model: 'net', required: true },
      { name: 'd', model: 'tree' },
      { name: 'c', combine: 'first', of: ['a', 'b', 'd'] },
    ];
    const { steps: planned } = plan({ steps, outputs: { p: 'c.p', own: 'd.p' } }, members);
    expect(planned.map(({ name, required }) => [name, required])).toEqual([
      ['a', false],
      ['b', true],
      ['d', true],
      ['c', true],
    ]);
  });
});

describe('switches', () => {
  const rules = rulesOf({
    perRow: { reads: [{ step: 's', tensor: 'probability' }] },
    byHeader: { readsRequest: true },
    byRows: { readsRows: true },
  });
  const choice = (when: string) => ({
    steps: [
      { name: 's', model: 'small' },
      {
        name: 'c',
        switch: [
          { when, use: { label: 's.label', probability: 's.probability' } },
          { when: 'byHeader', use: { label: { value: 'none' }, probability: { value: 0.5 } } },
        ],
        otherwise: { model: 'small', fallback: { outputs: { label: 'failed', probability: 0 } } },
      },
    ],
  });

  it('that read tensors decide for each row, so that the rows of their members must be independent', () => {
    const planned = plan(choice('perRow'), members, rules);
    expect(planned.steps.at(-1)).toMatchObject({ kind: 'switch', perRow: true, needs: ['s'] });
    expect(planned.needIndependent).toEqual([Object.keys(members).indexOf('small')]);
    expect([planned.rowWise, planned.readsRequest]).toEqual([true, true]);
  });

  it('are where a graph has rules', () => {
    expect(hasRules(graphDefinitionSchema.parse(choice('perRow')))).toBe(true);
    expect(hasRules(graphDefinitionSchema.parse({ steps: [{ name: 'a', model: 'tree' }] }))).toBe(false);
  });

  it('that do not decide once', () => {
    const planned = plan(choice('byHeader'), members, rules);
    expect(planned.steps.at(-1)).toMatchObject({ perRow: false });
    expect(planned.needIndependent).toEqual([]);
  });

  it('that read how many rows there are make rows dependent', () => {
    expect(plan(choice('byRows'), members, rules).rowWise).toBe(false);
  });

  it('take the types of literals from the other arms, and repeat them', () => {
    const step = plan(choice('byHeader'), members, rules).steps.at(-1);
    const use = step?.kind === 'switch' ? step.arms[1]?.target : undefined;
    expect(use?.kind === 'use' && use.outputs.get('probability')).toEqual({
      from: { row: float32([1], [0.5]) },
      to: { name: 'probability', datatype: 'FP32', shape: [-1] },
    });
    const otherwise = step?.kind === 'switch' && step.otherwise !== 'refuse' ? step.otherwise : undefined;
    expect(otherwise?.kind === 'call' && otherwise.fallback).toEqual({
      rows: { label: text([1], ['failed']), probability: float32([1], [0]) },
    });
  });

  it('give what all arms allow', () => {
    const steps = [
      { name: 'a', model: 'net' },
      { name: 'c', switch: [{ when: 'byHeader', use: { p: 'a.p' } }], otherwise: { model: 'tree' } },
    ];
    expect(plan({ steps }, members, rules).signature.outputs).toEqual([
      { name: 'p', datatype: 'FP32', shape: [-1, 3] },
    ]);
  });
});

it('warns of steps that feed no output', () => {
  const steps = [
    { name: 'a', model: 'tree' },
    { name: 'b', model: 'net', in: { x: 'a.p' } },
    { name: 'c', model: 'tree' },
  ];
  expect(plan({ steps }, members).warnings).toEqual([
    'step "a" feeds no output and never runs',
    'step "b" feeds no output and never runs',
  ]);
});

it('has rows that change each other where a member counts none', () => {
  expect(plan({ steps: [{ name: 'a', model: 'fixed' }] }, members).rowWise).toBe(false);
});

it('may give the same tensor twice, and tensors of the request', () => {
  const { signature, outputs } = plan(
    { steps: [{ name: 'a', model: 'tree' }], outputs: { p: 'a.p', q: 'a.p', x: 'input.x' } },
    members,
  );
  expect(signature.outputs.map(({ name, shape }) => [name, shape])).toEqual([
    ['p', [-1, 3]],
    ['q', [-1, 3]],
    ['x', [-1, 4]],
  ]);
  expect(outputs.get('x')).toEqual({ step: 'input', tensor: 'x' });
});
