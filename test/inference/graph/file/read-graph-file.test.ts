import { describe, expect, it } from 'vitest';
import { AppError } from '../../../../src/errors.ts';
import { readGraphFile } from '../../../../src/inference/graph/file/read-graph-file.ts';

const step = { name: 'a', model: 'iris' };

function errorOf(graph: unknown): AppError {
  try {
    readGraphFile('flow/graph.json', typeof graph === 'string' ? graph : JSON.stringify(graph));
  } catch (error) {
    if (error instanceof AppError && error.code === 'GRAPH_INVALID') return error;
    throw error;
  }
  throw new Error('the graph is valid');
}

const faultsOf = (graph: unknown) => errorOf(graph).faults.map(({ message }) => message);

describe('graph.json', () => {
  it('is completed where it says nothing', () => {
    expect(readGraphFile('graph.json', `\uFEFF${JSON.stringify({ steps: [step] })}`)).toEqual({
      headers: [],
      maxInFlight: 1024,
      maxInFlightBytes: 256 * 1024 * 1024,
      inputs: {},
      steps: [step],
    });
  });

  it('takes any name that a tensor has', () => {
    const graph = { steps: [{ ...step, in: { 'input.1': 'input.0', 495: 'input.x:0' } }] };
    expect(readGraphFile('graph.json', JSON.stringify(graph)).steps).toEqual(graph.steps);
  });

  it.each([
    ['{"steps":', /^flow\/graph\.json is not valid JSON/],
    ['['.repeat(65), /^flow\/graph\.json has more than 64 levels of nesting/],
    [' '.repeat(4 * 1024 * 1024 + 1), /^flow\/graph\.json has 4194305 characters; expected at most 4194304/],
  ])('that cannot be read is told', (text, message) => {
    expect(errorOf(text).message).toMatch(message);
  });

  it.each([
    [[], 'found a list; expected an object'],
    [{ steps: [] }, 'steps: found a list; expected at least 1 elements'],
    [{}, 'steps: is missing; expected a list'],
    [{ steps: [step], maxInFlight: 0 }, 'maxInFlight: found 0; expected at least 1'],
    [{ steps: [step], stpes: [] }, 'stpes: there is no such key; did you mean "steps"?'],
    [{ steps: [step], inputs: { x: { shap: [1] } } }, 'inputs.x.shap: there is no such key; did you mean "shape"?'],
    [{ steps: [step], headers: ['X-Tier'] }, 'headers.0: found "X-Tier"; expected a header in small letters'],
    [
      { steps: [{ ...step, name: 'rows' }] },
      'steps.0.name: found "rows"; expected another name than input, headers, key, now, rows',
    ],
    [{ steps: [{ ...step, timeoutMs: 1.5 }] }, 'steps.0.timeoutMs: found 1.5; expected a whole number'],
    [{ steps: [{ ...step, model: 'iris@' }] }, 'steps.0.model: found "iris@"; expected name, name@2 or name@label'],
  ])('%j is refused', (graph, message) => {
    expect(faultsOf(graph)).toEqual([message]);
  });

  it('names all that is wrong at once, where it is in the file', () => {
    const graph = { steps: [{ name: 'A', model: 'b@' }, step], headers: ['X'], maxInFlight: 'many' };
    const { faults, message } = errorOf(graph);
    expect(faults.map(({ location }) => location)).toEqual([
      ['headers', 0],
      ['maxInFlight'],
      ['steps', 0, 'name'],
      ['steps', 0, 'model'],
    ]);
    for (const fault of faults) expect(message).toContain(fault.message);
  });

  it('takes no name that an object has anyway', () => {
    expect(faultsOf('{"steps":[{"name":"a","model":"b","in":{"__proto__":"input.x"}}]}')).toEqual([
      'steps.0.in.__proto__: expected another name',
    ]);
  });
});

describe('what has several forms', () => {
  const arm = { when: 'rows > 1', use: { y: 'input.x' } };
  const choice = { name: 'c', switch: [arm], otherwise: 'refuse' };

  it.each([
    ['a misspelt form', { name: 'a', modle: 'iris' }, 'steps.0.modle: there is no such key; did you mean "model"?'],
    ['a misspelt key', { ...step, fallbck: 'b' }, 'steps.0.fallbck: there is no such key; did you mean "fallback"?'],
    [
      'a strange key',
      { ...step, colour: 1 },
      'steps.0.colour: there is no such key; expected name, required, model, in, timeoutMs, fallback',
    ],
    [
      'two forms',
      { ...choice, model: 'iris' },
      'steps.0: found "model" and "switch"; a step has one of "model", "switch", "combine"',
    ],
    [
      'no form',
      { name: 'a', of: ['b.c'] },
      'steps.0: found "name", "of"; a step has one of "model", "switch", "combine"',
    ],
    ['no object', 'iris', 'steps.0: found "iris"; expected a step with one of "model", "switch" and "combine"'],
    ['no members', { name: 'm', combine: 'mean' }, 'steps.0.of: is missing; expected a list'],
    [
      'a combination',
      { name: 'm', combine: 'avg', of: ['a.p'] },
      'steps.0.combine: found "avg"; expected "vote", "mean", "max", "min", "concat", "first", "fastest"',
    ],
    [
      'an arm of two forms',
      { ...choice, switch: [{ ...arm, model: 'b' }] },
      'steps.0.switch.0: found "model" and "use"; an arm has one of "model", "use"',
    ],
    [
      'an arm without a form',
      { ...choice, switch: [{ when: 'true' }] },
      'steps.0.switch.0: found "when"; an arm has one of "model", "use"',
    ],
    [
      'an arm without a rule',
      { ...choice, switch: [{ model: 'b' }] },
      'steps.0.switch.0.when: is missing; expected a text',
    ],
    [
      'otherwise',
      { ...choice, otherwise: 'refse' },
      'steps.0.otherwise: found "refse"; expected "refuse", or an object with "model" or "use"',
    ],
    [
      'a key of otherwise',
      { ...choice, otherwise: { modl: 'b' } },
      'steps.0.otherwise.modl: there is no such key; did you mean "model"?',
    ],
    [
      'a wire of two forms',
      { ...step, in: { x: { from: 'input.x', value: 1 } } },
      'steps.0.in.x: found "from" and "value"; a wire has one of "from", "value"',
    ],
    [
      'a key of a wire',
      { ...step, in: { x: { from: 'input.x', colums: [0] } } },
      'steps.0.in.x.colums: there is no such key; did you mean "columns"?',
    ],
    [
      'a wire from nowhere',
      { ...step, in: { x: 'x' } },
      'steps.0.in.x: found "x"; expected "step.output" or "input.name"',
    ],
    [
      'a wire of another kind',
      { ...step, in: { x: 3 } },
      'steps.0.in.x: found 3; expected "step.output", or an object with "from" or "value" and cast, reshape, columns',
    ],
    [
      'a fallback',
      { ...step, fallback: { output: { y: 1 } } },
      'steps.0.fallback.output: there is no such key; did you mean "outputs"?',
    ],
    [
      'a wire of an arm',
      { ...choice, switch: [{ ...arm, use: { y: { frm: 'input.x' } } }] },
      'steps.0.switch.0.use.y.frm: there is no such key; did you mean "from"?',
    ],
  ])('gives one fault for %s', (_, graph, message) => {
    expect(faultsOf({ steps: [graph] })).toEqual([message]);
  });
});
