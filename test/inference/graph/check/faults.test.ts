import { describe, expect, it } from 'vitest';
import { RuleError } from '../../../../src/inference/graph/rules.ts';
import { faultsOf, type Members, plan, rulesOf } from './plan.ts';

const members: Members = {
  prepare: [{ text: 'BYTES -1' }, { codes: 'INT32 -1,-1', mask: 'INT32 -1,-1' }],
  small: [{ codes: 'INT64 -1,-1' }, { label: 'BYTES -1', probability: 'FP32 -1' }],
  large: [{ codes: 'INT64 -1,-1' }, { label: 'BYTES -1', probability: 'FP32 -1' }],
  tree: [{ x: 'FP32 -1,4' }, { p: 'FP32 -1,3' }],
  net: [{ x: 'FP32 -1,4' }, { p: 'FP32 -1,3' }],
  other: [{ x: 'FP32 -1,4' }, { p: 'FP32 -1,2' }],
  doubles: [{ x: 'FP32 -1,4' }, { p: 'FP64 -1,3' }],
  wide: [{ x: 'FP32 -1,8' }, { p: 'FP32 -1,3' }],
  picture: [{ pixels: 'FP32 -1,28,28' }, { y: 'FP32 -1' }],
  fixed: [{ x: 'FP32 1,4' }, { p: 'FP32 1,3' }],
  flat: [{ x: 'FP32 -1,4' }, { p: 'FP32 -1' }],
};
const a = { name: 'a', model: 'tree' };
const b = { name: 'b', model: 'net' };
const c = { name: 'c', model: 'other' };
const mean = { name: 'mean', combine: 'mean', of: ['a.p', 'b.p'] };

const faults = (graph: object, rules = rulesOf({})) => faultsOf({ ...graph }, members, rules);

it('names twelve mistakes at once, each where it is', () => {
  const steps = [
    { name: 'prepare', model: 'prepare', in: { txt: 'input.text' } },
    { name: 'first', model: 'small', in: { codes: 'prepare.codes' } },
    { name: 'first', model: 'large', in: { codes: { from: 'prepare.codes', cast: 'INT64' } } },
    { name: 'second', model: 'smal' },
    { name: 'third', model: 'small', in: { codes: { from: 'prepar.codes', cast: 'INT64' } } },
    { name: 'fourth', model: 'small', in: { codes: { from: 'prepare.code', cast: 'INT64' } } },
    { name: 'fifth', model: 'tree', in: { x: { from: 'input.x', columns: [0, 1] } } },
    { name: 'sixth', model: 'tree', in: { x: { value: [1, 2, 'three', 4] } } },
    { name: 'mean', combine: 'mean', of: ['first.label', 'fifth.p'], weights: [1] },
    { name: 'ring', combine: 'max', of: ['circle.value'] },
    { name: 'circle', combine: 'max', of: ['ring.value'] },
  ];
  const messages = faults({ steps, inputs: { txet: {} }, outputs: { p: 'sixth.q' } });
  expect(messages).toEqual([
    'inputs.txet: nothing reads input.txet; did you mean "text"?',
    'steps.0.in.txt: prepare 1 has no such input and takes text BYTES [-1]; did you mean "text"?',
    'steps.1.in.codes: small 1 takes INT64 [-1,-1], prepare.codes is INT32 [-1,-1]; add "cast": "INT64"',
    'steps.2.name: steps.1 is called "first" too; expected another name',
    'steps.3.model: there is no model smal',
    'steps.4.in.codes.from: there is no step "prepar"; did you mean "prepare"?',
    'steps.5.in.codes.from: prepare gives codes, mask; there is no "code"; did you mean "codes"?',
    'steps.6.in.x: tree 1 takes FP32 [-1,4], input.x is FP32 [-1,2]',
    'steps.7.in.x.value: element 2 is "three", not a number (FP32)',
    'steps.8.weights: found 1 for 2 members; expected one for each of "of"',
    'steps.8.of.0: mean takes FP16, FP32 and FP64, first.label is BYTES [-1]',
    'steps.9: needs itself: ring → circle → ring',
    'outputs.p: sixth gives p; there is no "q"; did you mean "p"?',
  ]);
});

it('tells each fault with its path and type', () => {
  const steps = [{ ...a, in: { x: 'nothing.x' } }];
  expect(() => plan({ steps }, members)).toThrow(
    expect.objectContaining({
      code: 'GRAPH_INVALID',
      faults: [
        {
          location: ['steps', 0, 'in', 'x'],
          type: 'unknown_step',
          message: expect.stringContaining('there is no step "nothing"'),
        },
      ],
    }),
  );
});

describe('wires', () => {
  const into = (model: string, wire: unknown, input = 'x') => ({
    steps: [a, { name: 'next', model, in: { [input]: wire } }],
  });

  it.each([
    ['a fixed dimension', into('wide', 'a.p'), 'steps.1.in.x: wide 1 takes FP32 [-1,8], a.p is FP32 [-1,3]'],
    [
      'a rank',
      into('picture', 'a.p', 'pixels'),
      'steps.1.in.pixels: picture 1 takes FP32 [-1,28,28], a.p is FP32 [-1,3]',
    ],
    [
      'a cast to another type',
      into('tree', { from: 'a.p', cast: 'FP64' }),
      'steps.1.in.x: tree 1 takes FP32 [-1,4], a.p is FP64 [-1,3]; change "cast" to "FP32"',
    ],
    [
      'a reshape that loses elements',
      into('wide', { from: 'a.p', reshape: [-1, 8] }),
      'steps.1.in.x.reshape: a row of [-1,8] has 8 elements, a row of a.p FP32 [-1,3] has 3',
    ],
    [
      'a reshape that moves rows',
      into('wide', { from: 'a.p', reshape: [3, -1] }),
      'steps.1.in.x.reshape: found [3,-1]; the first dimension counts rows and is -1, the others are fixed and at least 1',
    ],
    [
      'columns that are not there',
      into('wide', { from: 'a.p', columns: [0, 3, 7] }),
      'steps.1.in.x.columns: a.p is FP32 [-1,3] and has no column 3, 7; expected 0 to 2',
    ],
    [
      'a literal of another type',
      into('tree', { value: ['x'] }),
      'steps.1.in.x.value: element 0 is "x", not a number (FP32)',
    ],
    [
      'ragged lists',
      into('picture', { value: [[1, 2], [3]] }, 'pixels'),
      'steps.1.in.pixels.value: element 1 is a list of 1, not a list of 2',
    ],
    [
      'a literal of another shape',
      into('tree', { value: [1, 2] }),
      'steps.1.in.x: tree 1 takes FP32 [-1,4], the literal is FP32 [-1,2]',
    ],
    ['a step alone', into('tree', { from: 'a.', cast: 'FP32' }), null],
  ])('that do not fit in %s', (_, graph, message) => {
    if (message === null) expect(() => faults(graph)).toThrow();
    else expect(faults(graph)).toEqual([message]);
  });

  it('with columns of a tensor of one axis', () => {
    const steps = [
      { name: 'f', model: 'flat' },
      { ...a, in: { x: { from: 'f.p', columns: [0, 0, 0, 0] } } },
    ];
    expect(faults({ steps })).toEqual([
      'steps.1.in.x.columns: f.p is FP32 [-1], whose only axis counts rows; columns need a second axis',
    ]);
  });

  it('that reshape helps are told so', () => {
    const steps = [
      { name: 'p', model: 'picture', in: { pixels: 'input.flat' } },
      { name: 'q', model: 'picture', in: { pixels: 'big.y' } },
      { name: 'big', model: 'big' },
    ];
    const withBig = { ...members, big: [{ x: 'FP32 -1' }, { y: 'FP32 -1,784' }] } as const;
    expect(faultsOf({ steps }, withBig)).toEqual([
      'steps.1.in.pixels: picture 1 takes FP32 [-1,28,28], big.y is FP32 [-1,784]; add "reshape": [-1,28,28]',
    ]);
  });

  it('from numbers beyond 2^53 that are not texts', () => {
    const steps = [{ name: 's', model: 'small', in: { codes: { value: [2 ** 53] } } }, a];
    expect(faults({ steps })).toEqual([expect.stringContaining('beyond 2^53, its digits stand in a text')]);
  });
});

describe('inputs of the graph', () => {
  it('that two members take as other types', () => {
    const steps = [a, { name: 's', model: 'small', in: { codes: 'input.x' } }];
    expect(faults({ steps })).toEqual([
      'steps.1.in.codes: small 1 takes INT64, tree 1 says FP32 of input.x at steps.0.in.x; add a "cast" to one of them',
    ]);
  });

  it('that two members take in other shapes', () => {
    const steps = [a, { name: 'w', model: 'wide' }];
    expect(faults({ steps })).toEqual([
      'steps.1.in.x: wide 1 takes [-1,8], tree 1 says [-1,4] of input.x at steps.0.in.x',
    ]);
  });

  it('that are declared as another type', () => {
    expect(faults({ steps: [a], inputs: { x: { datatype: 'FP64' } } })).toEqual([
      'steps.0.in.x: tree 1 takes FP32, "inputs" says FP64 of input.x; add a "cast" to one of them',
    ]);
  });

  it('that nothing says the type of', () => {
    const steps = [{ ...a, in: { x: { from: 'input.x', cast: 'FP32' } } }];
    expect(faults({ steps })).toEqual([
      'inputs.x: nothing that input.x feeds says what it is; say its "datatype" here',
    ]);
  });

  it('that nothing says the shape of', () => {
    const steps = [{ ...a, in: { x: { from: 'input.x', reshape: [-1, 4] } } }];
    expect(faults({ steps })).toEqual([
      'inputs.x: nothing that input.x feeds says what it is but FP32; say its "shape" here',
    ]);
  });

  it('that nothing reads', () => {
    const inputs = { y: { datatype: 'FP32', shape: [-1] } };
    expect(faults({ steps: [a], inputs })).toEqual(['inputs.y: nothing reads input.y; did you mean "x"?']);
  });

  it('of which there is none', () => {
    const steps = [{ ...a, in: { x: { value: [1, 2, 3, 4] } } }];
    expect(faults({ steps })).toEqual([
      'steps: nothing reads an input, so that a request has no rows; expected an "input.name"',
    ]);
  });
});

describe('outputs of the graph', () => {
  it.each([
    [{}, 'outputs: the graph gives nothing; expected at least one "step.output"'],
    [{ p: 'aa.p' }, 'outputs.p: there is no step "aa"; did you mean "a"?'],
    [{ p: 'a.q' }, 'outputs.p: a gives p; there is no "q"; did you mean "p"?'],
  ])('%j', (outputs, message) => {
    expect(faults({ steps: [a], outputs })).toEqual([message]);
  });

  it('that the member has and cannot be served', () => {
    const unservable = [
      { output: 'map', type: 'seq(map(int64,tensor(float)))', why: 'it is no tensor', remedy: 'export without ZipMap' },
    ];
    const signature = {
      inputs: [{ name: 'x', datatype: 'FP32', shape: [-1] }],
      outputs: [{ name: 'y', datatype: 'FP32', shape: [-1] }],
      unservable,
    } as const;
    const find = () => ({ index: 0, facts: { name: 'm', version: '1', signature } });
    expect(faultsOf({ steps: [a], outputs: { p: 'a.map' } }, find)).toEqual([
      'outputs.p: a gives y; "map" is seq(map(int64,tensor(float))): it is no tensor. Remedy: export without ZipMap',
    ]);
  });
});

describe('combinations', () => {
  const of = (more: object, steps: object[] = [a, b]) => ({ steps: [...steps, { ...mean, ...more }] });

  it.each([
    [
      'of unlike shapes',
      of({ of: ['a.p', 'c.p'] }, [a, c]),
      'steps.2.of.1: c.p is FP32 [-1,2], a.p is FP32 [-1,3]; mean takes one data type and equal shapes',
    ],
    [
      'of unlike types',
      of({ of: ['a.p', 'd.p'] }, [a, { name: 'd', model: 'doubles' }]),
      'steps.2.of.1: d.p is FP64 [-1,3], a.p is FP32 [-1,3]; mean takes one data type and equal shapes',
    ],
    [
      'that vote on floats',
      of({ combine: 'vote', of: ['a.p'] }),
      'steps.2.of.0: vote takes BOOL, integers and BYTES, a.p is FP32 [-1,3]',
    ],
    ['that take a step', of({ of: ['a', 'b.p'] }), 'steps.2.of.0: mean takes tensors, and "a" is none; expected a.p'],
    [
      'twice of the same',
      of({ of: ['a.p', 'a.p'] }),
      'steps.2.of.1: a.p is there before; say how much it counts by "weights"',
    ],
    [
      'with too few weights',
      of({ weights: [1] }),
      'steps.2.weights: found 1 for 2 members; expected one for each of "of"',
    ],
    [
      'with endless weights',
      of({ weights: [1e308, 1e308] }),
      'steps.2.weights: their sum is beyond the greatest number; expected smaller ones',
    ],
    ['with too large a quorum', of({ quorum: 3 }), 'steps.2.quorum: found 3; "of" has 2'],
    [
      'that wait without a quorum',
      of({ waitMs: 3 }),
      'steps.2.waitMs: says how long to wait beyond a quorum; add "quorum"',
    ],
    [
      'with a key that means nothing',
      of({ axis: 1 }),
      'steps.2.axis: means nothing for mean, which takes "weights", "quorum", "waitMs", "index", "nan"',
    ],
    [
      'with an index of max',
      of({ combine: 'max', index: true }),
      'steps.2.index: means nothing for max, which takes "quorum", "waitMs", "nan"',
    ],
    [
      'with an index along rows',
      of({ of: ['f.p'], index: true }, [a, { name: 'f', model: 'flat' }]),
      'steps.2.index: f.p is FP32 [-1], whose only axis counts rows; the index of the greatest needs a second axis',
    ],
    [
      'that join rows',
      of({ combine: 'concat', axis: 0 }),
      'steps.2.axis: found 0, which counts rows; expected at least 1, or -1 for the last',
    ],
    [
      'that join along an axis that is not there',
      of({ combine: 'concat', axis: 2 }),
      'steps.2.axis: a.p is FP32 [-1,3], which has no axis 2 beside the rows',
    ],
    [
      'that join tensors of other ranks',
      of({ combine: 'concat', of: ['a.p', 'f.p'] }, [a, { name: 'f', model: 'flat' }]),
      'steps.2.of.1: f.p is FP32 [-1], a.p is FP32 [-1,3]; concat takes one data type and all dimensions but that of axis -1 equal',
    ],
    [
      'that join with a quorum',
      of({ combine: 'concat', quorum: 1 }),
      'steps.2.quorum: means nothing for concat, which takes "axis"',
    ],
    [
      'of steps that give other outputs',
      of({ combine: 'first', of: ['a', 's'] }, [a, { name: 's', model: 'small' }]),
      'steps.2.of.1: s gives label BYTES [-1], probability FP32 [-1], a gives p FP32 [-1,3]; expected equal outputs',
    ],
    [
      'of a tensor where a step is meant',
      of({ combine: 'fastest', of: ['a.p', 'b'] }),
      'steps.2.of.0: expected the name of a step, such as "a"; all its outputs are taken',
    ],
    [
      'of a step that is not there',
      of({ combine: 'fastest', of: ['a', 'bb'] }),
      'steps.2.of.1: there is no step "bb"; did you mean "b"?',
    ],
    [
      'with weights of steps',
      of({ combine: 'first', of: ['a', 'b'], weights: [1, 2] }),
      'steps.2.weights: means nothing for first, which takes nothing but "of"',
    ],
  ])('%s', (_, graph, message) => {
    expect(faults(graph)).toEqual([message]);
  });
});

describe('circles of steps', () => {
  it.each([
    [[{ name: 'x', combine: 'max', of: ['x.value'] }], ['steps.0: needs itself: x → x']],
    [
      [
        { name: 'p', combine: 'max', of: ['r.value'] },
        { name: 'q', combine: 'max', of: ['p.value'] },
        { name: 'r', combine: 'max', of: ['q.value', 'a.p'] },
        a,
        { name: 'u', combine: 'max', of: ['v.value'] },
        { name: 'v', combine: 'max', of: ['u.value', 'p.value'] },
      ],
      ['steps.0: needs itself: p → r → q → p', 'steps.4: needs itself: u → v → u'],
    ],
  ])('are printed as paths', (steps, messages) => {
    expect(faults({ steps: [...steps, b] })).toEqual(messages);
  });

  it('count what rules read', () => {
    const rules = rulesOf({ 'later.p > 0': { reads: [{ step: 'later', tensor: 'p' }] } });
    const steps = [
      { name: 'choice', switch: [{ when: 'later.p > 0', use: { x: 'input.x' } }], otherwise: 'refuse' },
      { name: 'later', model: 'flat', in: { x: 'choice.x' } },
    ];
    expect(faults({ steps, inputs: { x: { datatype: 'FP32', shape: [-1, 4] } } }, rules)).toEqual([
      'steps.0: needs itself: choice → later → choice',
    ]);
  });
});

describe('steps that may give nothing', () => {
  const optional = { ...a, required: false };

  it('cannot be outputs', () => {
    expect(faults({ steps: [optional] })).toEqual([
      'outputs.p: a may give nothing; expected a "fallback" of a, or that it is required',
    ]);
  });

  it('make those that need them give nothing either', () => {
    const steps = [optional, { name: 'next', model: 'next', in: { p: 'a.p' } }];
    const withNext = { ...members, next: [{ p: 'FP32 -1,3' }, { q: 'FP32 -1' }] } as const;
    expect(faultsOf({ steps }, withNext)).toEqual([
      'outputs.q: next may give nothing, since it needs a; expected a "fallback" of a, or that it is required',
    ]);
  });

  it('can be outputs with a fallback, and parts of a combination with a quorum', () => {
    expect(faults({ steps: [{ ...optional, fallback: 'net' }] })).toEqual([]);
    expect(faults({ steps: [optional, b, { ...mean, quorum: 1 }] })).toEqual([]);
  });
});

describe('fallbacks', () => {
  const withFallback = (fallback: unknown, outputs?: object) => ({
    steps: [{ ...a, fallback }],
    ...(outputs && { outputs }),
  });

  it.each([
    ['that are missing', 'nett', 'steps.0.fallback: there is no model nett'],
    ['that take other inputs', 'wide', 'steps.0.fallback: wide 1 takes x FP32 [-1,8], tree 1 takes x FP32 [-1,4]'],
    ['that give other outputs', 'other', 'steps.0.fallback: other 1 gives p FP32 [-1,2], tree 1 gives p FP32 [-1,3]'],
    ['without an output', { outputs: {} }, 'steps.0.fallback.outputs: tree 1 gives p FP32 [-1,3] too; say its row'],
    [
      'with a literal of another shape',
      { outputs: { p: [1, 2] } },
      'steps.0.fallback.outputs.p: tree 1 gives FP32 [-1,3], the literal is FP32 [-1,2]',
    ],
    [
      'with a literal of another type',
      { outputs: { p: ['a', 'b', 'c'] } },
      'steps.0.fallback.outputs.p: element 0 is "a", not a number (FP32)',
    ],
    [
      'with an output too many',
      { outputs: { p: [1, 2, 3], q: 1 } },
      'steps.0.fallback.outputs.q: tree 1 gives p; did you mean "p"?',
    ],
  ])('%s', (_, fallback, message) => {
    expect(faults(withFallback(fallback))).toEqual([message]);
  });

  it('that take another input, and lack one', () => {
    expect(faults(withFallback('picture', { p: 'a.p' }))).toEqual([
      'steps.0.fallback: picture 1 has no input "x", and tree 1 takes x FP32 [-1,4]',
      'steps.0.fallback: picture 1 takes pixels FP32 [-1,28,28], which tree 1 does not',
      'steps.0.fallback: picture 1 has no output "p", and tree 1 gives p FP32 [-1,3]; did you mean "y"?',
    ]);
  });

  it('need only the outputs that are used', () => {
    const both: Members = {
      full: [{ x: 'FP32 -1' }, { label: 'BYTES -1', scores: 'FP32 -1,3' }],
      tiny: [{ x: 'FP32 -1' }, { label: 'BYTES -1' }],
    };
    const steps = [{ name: 's', model: 'full', fallback: 'tiny' }];
    expect(faultsOf({ steps, outputs: { label: 's.label' } }, both)).toEqual([]);
    expect(faultsOf({ steps }, both)).toEqual([
      'steps.0.fallback: tiny 1 has no output "scores", and full 1 gives scores FP32 [-1,3]',
    ]);
  });
});

describe('switches', () => {
  const rules = rulesOf({
    always: {},
    'a.p > 0': { reads: [{ step: 'a', tensor: 'p' }] },
    bad: new RuleError('input has no "agee"'),
  });
  const arm = { when: 'always', use: { p: 'a.p' } };
  const choice = (more: object) => ({
    steps: [a, b, { name: 'choice', switch: [arm], otherwise: { model: 'net' }, ...more }],
  });

  it.each([
    [
      'whose rule cannot be',
      choice({ switch: [{ ...arm, when: 'bad' }] }),
      'steps.2.switch.0.when: input has no "agee"',
    ],
    [
      'whose arms give other outputs',
      choice({ otherwise: { model: 'small', in: { codes: 'input.codes' } } }),
      'steps.2.otherwise.model: small 1 gives label BYTES [-1], probability FP32 [-1], steps.2.switch.0 gives p FP32 [-1,3]; expected equal outputs',
    ],
    [
      'whose arms give other names',
      choice({ otherwise: { use: { P: 'b.p' } } }),
      'steps.2.otherwise.use: gives P FP32 [-1,3], steps.2.switch.0 gives p FP32 [-1,3]; expected equal outputs; did you mean "p"?',
    ],
    [
      'whose arms give other types',
      choice({ otherwise: { use: { p: { from: 'b.p', cast: 'FP64' } } } }),
      'steps.2.otherwise.use: gives p FP64 [-1,3], steps.2.switch.0 gives p FP32 [-1,3]; expected equal outputs',
    ],
    [
      'whose arms give other shapes',
      choice({ switch: [arm, { when: 'always', model: 'other' }] }),
      'steps.2.switch.1.model: other 1 gives p FP32 [-1,2], steps.2.switch.0 gives p FP32 [-1,3]; expected equal outputs',
    ],
    [
      'with a wire from nowhere',
      choice({ otherwise: { use: { p: 'bb.p' } } }),
      'steps.2.otherwise.use.p: there is no step "bb"; did you mean "b"?',
    ],
    [
      'with a number without a type',
      choice({ switch: [{ when: 'always', use: { p: { value: [1, 2, 3] } } }], otherwise: 'refuse' }),
      'steps.2.switch.0.use.p.value: nothing says which data type the number has; add a "cast"',
    ],
  ])('%s', (_, graph, message) => {
    expect(faults(graph, rules)).toEqual([message]);
  });

  it('that decide for each row take only what has rows', () => {
    const steps = [
      a,
      { name: 'choice', switch: [{ when: 'a.p > 0', model: 'fixed' }], otherwise: { use: { p: 'a.p' } } },
    ];
    expect(faults({ steps }, rules)).toEqual([
      'steps.1.switch.0.model: fixed 1 has x FP32 [1,4], whose first dimension counts no rows; a rule of this switch decides for each row',
      'steps.1.switch.0.model: fixed 1 has p FP32 [1,3], whose first dimension counts no rows; a rule of this switch decides for each row',
    ]);
  });

  it('that decide for each row take no tensor without rows, by no wire', () => {
    const steps = [
      a,
      { name: 'f', model: 'fixed', in: { x: 'input.y' } },
      { name: 'choice', switch: [{ when: 'a.p > 0', use: { p: 'f.p' } }], otherwise: { model: 'tree' } },
    ];
    const why = 'whose first dimension counts no rows; a rule of this switch decides for each row';
    expect(faults({ steps }, rules)).toEqual([`steps.2.switch.0.use.p: f.p is FP32 [1,3], ${why}`]);
  });

  it('read no tensor without rows', () => {
    const steps = [
      { name: 'f', model: 'fixed' },
      { name: 'choice', switch: [{ when: 'f.p > 0', use: { p: { value: [1], cast: 'FP32' } } }], otherwise: 'refuse' },
    ];
    const reading = rulesOf({ 'f.p > 0': { reads: [{ step: 'f', tensor: 'p' }] } });
    expect(faults({ steps }, reading)).toEqual([
      'steps.1.switch.0.when: f.p is FP32 [1,3], whose first dimension counts no rows',
    ]);
  });

  it('do not ask for rows where a rule decides once', () => {
    const steps = [
      a,
      { name: 'choice', switch: [{ when: 'always', model: 'fixed' }], otherwise: { use: { p: 'a.p' } } },
    ];
    expect(faults({ steps }, rules)).toEqual([]);
  });
});

describe('a fault', () => {
  it('hides those that follow from it', () => {
    const steps = [
      { name: 'a', model: 'missing' },
      { name: 'next', model: 'tree', in: { x: { from: 'a.p', columns: [0] } } },
      { name: 'mean', combine: 'mean', of: ['a.p', 'next.p'] },
      { name: 'choice', switch: [{ when: 'a.p > 0', use: { p: 'a.p' } }], otherwise: 'refuse' },
    ];
    const message = 'steps.0.model: there is no model missing';
    expect(faults({ steps, outputs: { p: 'choice.p' } }, rulesOf({}))).toEqual([message]);
  });
});
