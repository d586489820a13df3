import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { float32, int64, type Signature, type Tensors, text } from '../../../src/tensor/tensor.ts';
import { temporaryFolder } from '../../helpers/folder.ts';
import { type FakeVersion, faceOf, openFake } from '../open-fake.ts';

const columns: Signature = {
  inputs: [
    { name: 'age', datatype: 'FP32', shape: [-1, 1] },
    { name: 'class', datatype: 'INT64', shape: [-1, 1] },
    { name: 'sex', datatype: 'BYTES', shape: [-1, 1] },
  ],
  outputs: [
    { name: 'label', datatype: 'INT64', shape: [-1] },
    { name: 'p', datatype: 'FP32', shape: [-1, 2] },
  ],
};

const matrix: Signature = {
  inputs: [{ name: 'x', datatype: 'FP32', shape: [-1, 3] }],
  outputs: [{ name: 'y', datatype: 'FP32', shape: [-1, 1] }],
};

function rowsOf(tensors: Tensors): number {
  return Object.values(tensors)[0]?.shape[0] ?? 0;
}

/** Class 7 with 0.25 and class -2 with 0.75, whatever comes in. */
function classes(inputs: Tensors): Tensors {
  const rows = rowsOf(inputs);
  return {
    label: int64([rows], Array(rows).fill(-2)),
    p: float32([rows, 2], Array(rows).fill([0.25, 0.75]).flat()),
  };
}

function sums({ x }: Tensors): Tensors {
  const values = x?.datatype === 'FP32' ? [...x.data] : [];
  const sum = (row: number) => values.slice(row * 3, row * 3 + 3).reduce((total, value) => total + value, 0);
  const rows = values.length / 3;
  return {
    y: float32(
      [rows, 1],
      Array.from({ length: rows }, (_, row) => sum(row)),
    ),
  };
}

const classifier: FakeVersion = { signature: columns, outputs: classes, graphLabels: { p: ['7', '-2'] } };
const passenger = { age: 22.5, class: 3, sex: 'male' };

describe('a model whose inputs are columns', () => {
  test('takes records by their names, and answers classes by theirs', async () => {
    const face = await openFake(classifier);
    expect(face.report).toMatchObject({ state: 'ready', face: { kind: 'table' } });
    expect(await face.predict(passenger, { ...passenger, sex: 'female' })).toEqual([
      { label: '-2', probability: 0.75, probabilities: { 7: 0.25, '-2': 0.75 } },
      { label: '-2', probability: 0.75, probabilities: { 7: 0.25, '-2': 0.75 } },
    ]);
    expect(face.asked()).toEqual([
      {
        age: float32([2, 1], [22.5, 22.5]),
        class: int64([2, 1], [3, 3]),
        sex: text([2, 1], ['male', 'female']),
      },
    ]);
  });

  test('names its classes as model.json does, whatever the graph calls them', async () => {
    const { predict } = await openFake({ ...classifier, manifest: { labels: { p: ['died', 'survived'] } } });
    expect(await predict(passenger)).toEqual([
      { label: 'survived', probability: 0.75, probabilities: { died: 0.25, survived: 0.75 } },
    ]);
  });

  test('chooses the most probable class where it has no output for the label', async () => {
    const [, p] = columns.outputs;
    const signature = { ...columns, outputs: p === undefined ? [] : [p] };
    const { predict } = await openFake({ ...classifier, signature });
    expect(await predict(passenger)).toMatchObject([{ label: '-2', probability: 0.75 }]);
  });

  test('refuses what its columns are not, all at once', async () => {
    const { domain } = faceOf((await openFake(classifier)).report);
    const result = domain.input.safeParse({ age: '22', class: 1.5, sx: 'male', sex: 'a\0b' });
    const paths = result.error?.issues.map(({ path, code }) => [path.join('.'), code]);
    expect(paths).toEqual([
      ['age', 'invalid_type'],
      ['class', 'invalid_union'],
      ['sex', 'custom'],
      ['', 'unrecognized_keys'],
    ]);
    expect(domain.input.safeParse({ ...passenger, age: null }).success).toBe(false);
    expect(domain.input.safeParse({ ...passenger, age: 3.5e38 }).success).toBe(false);
  });

  test('takes 64-bit integers beyond 2^53 as text, to the last digit', async () => {
    const { predict, asked, report } = await openFake(classifier);
    await predict({ ...passenger, class: '-9223372036854775808' });
    expect(asked()[0]?.['class']).toEqual(int64([1, 1], [-9223372036854775808n]));
    const beyond = { ...passenger, class: '9223372036854775808' };
    expect(faceOf(report).domain.input.safeParse(beyond).success).toBe(false);
    expect(faceOf(report).domain.input.safeParse({ ...passenger, class: 2 ** 53 }).success).toBe(false);
    const form = { age: '30', class: '9007199254740993', sex: '5' };
    expect(faceOf(report).coerceForm(form)).toEqual({ age: 30, class: '9007199254740993', sex: '5' });
    expect(faceOf(report).coerceForm({ class: '-3' })).toEqual({ class: -3 });
  });

  test('has its names, bounds, values and defaults from model.json', async () => {
    const face = {
      kind: 'table',
      columns: [
        { name: 'age', missing: 'nan', min: 0, max: 120 },
        { name: 'pclass', from: 'class', default: 3 },
        { name: 'sex', values: ['male', 'female'] },
      ],
    };
    const { predict, asked, report } = await openFake({ ...classifier, manifest: { face } });
    await predict({ age: null, sex: 'male' }, { age: 1, pclass: 1, sex: 'female' });
    expect(asked()[0]).toEqual({
      age: float32([2, 1], [Number.NaN, 1]),
      class: int64([2, 1], [3, 1]),
      sex: text([2, 1], ['male', 'female']),
    });
    const { domain } = faceOf(report);
    expect(domain.examples).toEqual([{ age: 60, pclass: 1, sex: 'male' }]);
    for (const wrong of [{ age: 121, sex: 'male' }, { sex: 'other' }, { sex: 'male', class: 3 }]) {
      expect(domain.input.safeParse(wrong).success).toBe(false);
    }
  });

  test('has the example of example.json, or of model.json', async () => {
    await using folder = await temporaryFolder();
    await writeFile(join(folder.path, 'example.json'), JSON.stringify(passenger));
    const version = { ...classifier, folder: folder.path };
    expect(faceOf((await openFake(version)).report).domain.examples).toEqual([passenger]);
    const template = { ...passenger, age: 3 };
    const manifest = { face: { kind: 'table', template } };
    expect(faceOf((await openFake({ ...version, manifest })).report).domain.examples).toEqual([template]);
  });
});

test('labels of whole numbers name them, where there are no probabilities', async () => {
  const signature: Signature = { ...columns, outputs: [{ name: 'kind', datatype: 'INT64', shape: [-1] }] };
  const outputs = (inputs: Tensors) => ({ kind: int64([rowsOf(inputs)], Array(rowsOf(inputs)).fill(1)) });
  const face = await openFake({ signature, outputs, manifest: { labels: { kind: ['fine', 'fraud'] } } });
  expect(await face.predict(passenger)).toEqual([{ value: 'fraud' }]);
});

describe('a model of one matrix', () => {
  const names = [{ name: 'a' }, { name: 'b' }, { name: 'c', type: 'integer' }];

  test('has a face where model.json names its columns, in their order', async () => {
    const face = { kind: 'table', columns: names };
    const { predict } = await openFake({ signature: matrix, outputs: sums, manifest: { face } });
    expect(await predict({ c: 30, a: 1, b: 0.5 }, { a: 0, b: 0, c: 0 })).toEqual([{ value: 31.5 }, { value: 0 }]);
  });

  test('has none without', async () => {
    const { report } = await openFake({ signature: matrix, outputs: sums });
    expect(report).toEqual({ state: 'none', why: expect.stringContaining('its inputs are no columns') });
  });

  test.each([
    [{ columns: [{ name: 'a' }] }, /the input x has 3 columns, 1 are named/],
    [{ columns: [...names.slice(0, 2), { name: 'a' }] }, /two columns have the name "a"/],
    [{ columns: [], input: 'x' }, /face\.columns/],
    [{ columns: names, input: 'y' }, /the model takes x; expected one matrix y/],
    [
      {
        columns: [
          { name: 'a', type: 'string' },
          { name: 'b', missing: 'nan', min: 3 },
          { name: 'c', default: 'x' },
        ],
      },
      /a\.type.*c\.default/,
    ],
    [{ columns: names, template: { a: 1, b: 2 } }, /its example is no valid request: c: /],
  ])('is not ready while its face is at fault: %o', async (face, message) => {
    const version = { signature: matrix, outputs: sums, manifest: { face: { kind: 'table', ...face } } };
    await expect(openFake(version)).rejects.toThrow(message);
  });
});

describe('a face is proven before it serves', () => {
  test('one that nobody asked for is left out, and the log says why', async () => {
    const shape = { ...columns, outputs: [{ name: 'y', datatype: 'FP32', shape: [-1, 1] } as const] };
    const { report, warnings } = await openFake({
      signature: shape,
      outputs: () => ({ y: float32([3, 1], [1, 2, 3]) }),
    });
    expect(report).toMatchObject({
      state: 'invalid',
      why: expect.stringMatching(/y has the shape \[3,1\]; expected 1 rows/),
    });
    expect(warnings).toHaveLength(1);
  });

  test('more labels than classes are a fault of the labels', async () => {
    const manifest = { labels: { p: ['a', 'b', 'c'] }, face: { kind: 'table' } };
    await expect(openFake({ ...classifier, manifest })).rejects.toThrow(
      /labels\.p: the output has 2 columns, 3 labels/,
    );
  });

  test('model.json may forbid it', async () => {
    const { report } = await openFake({ ...classifier, manifest: { face: false } });
    expect(report).toEqual({ state: 'none', why: 'model.json has "face": false' });
  });
});

test('classes of one name, and outputs with the name of a field, are faults', async () => {
  await using twice = await openFake({ ...classifier, graphLabels: { p: ['same', 'same'] } });
  expect(twice.report).toEqual({ state: 'invalid', why: 'labels.p: two classes have the name "same"' });
  const outputs = [...columns.outputs, { name: 'probability', datatype: 'FP32', shape: [-1, 1] } as const];
  await using named = await openFake({
    ...classifier,
    signature: { ...columns, outputs },
    outputs: (inputs) => ({
      ...classes(inputs),
      probability: float32([rowsOf(inputs), 1], Array(rowsOf(inputs)).fill(5)),
    }),
  });
  expect(named.report).toEqual({
    state: 'invalid',
    why: 'the output probability has the name of another field of the result; rename it',
  });
});

describe('numbers of classes', () => {
  const face = { kind: 'table' } as const;
  const labels = { p: ['no', 'yes'] };
  /** A model that gives these numbers, and maybe a label. */
  const giving = (scores: readonly number[], label?: number): FakeVersion => ({
    signature: {
      ...columns,
      outputs: columns.outputs.filter(({ name }) => name === 'p' || label !== undefined),
    },
    outputs: (inputs) => {
      const rows = rowsOf(inputs);
      return {
        ...(label !== undefined && { label: int64([rows], Array(rows).fill(label)) }),
        p: float32([rows, 2], Array(rows).fill(scores).flat()),
      };
    },
  });

  test.each([
    [[2.5, -1], /face\.function: the output p gives 2\.5, -1 \(sum 1\.5\) for the example.*softmax, sigmoid, or none/],
    [[0.25, 0.5], /face\.function: the output p gives 0\.25, 0\.5 \(sum 0\.75\)/],
  ])('that are no probabilities, such as %j, are refused with the key to set', async (scores, message) => {
    await expect(openFake({ ...giving(scores), manifest: { labels, face } })).rejects.toThrow(message);
    await using unasked = await openFake({ ...giving(scores), manifest: { labels } });
    expect(unasked.report).toMatchObject({ state: 'invalid', why: expect.stringMatching(message) });
  });

  test('become probabilities by the function that is said', async () => {
    await using soft = await openFake({
      ...giving([0, Math.log(3)]),
      manifest: { labels, face: { ...face, function: 'softmax' } },
    });
    const [answer] = await soft.predict(passenger);
    expect(answer).toMatchObject({ label: 'yes', probability: expect.closeTo(0.75, 6) });
    expect(faceOf(soft.report).settings).toMatchObject({ function: 'softmax' });
    await using each = await openFake({
      ...giving([0, Math.log(3)]),
      manifest: { labels, face: { ...face, function: 'sigmoid' } },
    });
    expect(await each.predict(passenger)).toMatchObject([
      { label: 'yes', probabilities: { no: 0.5, yes: expect.closeTo(0.75, 6) } },
    ]);
    await using independent = await openFake({
      ...giving([0.5, 0.75]),
      manifest: { labels, face: { ...face, function: 'none' } },
    });
    expect(await independent.predict(passenger)).toMatchObject([{ probabilities: { no: 0.5, yes: 0.75 } }]);
    const none = { labels, face: { ...face, function: 'none' } };
    await expect(openFake({ ...giving([0.5, 1.75]), manifest: none })).rejects.toThrow(/face\.function/);
  });

  test('are from 0 to 1 for every record, whatever the example has shown', async () => {
    let scores = [0.25, 0.75];
    const version: FakeVersion = { ...giving([]), manifest: { labels } };
    await using opened = await openFake({ ...version, outputs: () => ({ p: float32([1, 2], scores) }) });
    scores = [0, 1.00001];
    expect(await opened.predict(passenger)).toMatchObject([{ probability: 1 }]);
    scores = [-3, 3];
    await expect(opened.predict(passenger)).rejects.toMatchObject({
      code: 'INTERNAL',
      message: expect.stringContaining('say by face.function'),
    });
    scores = [Number.NaN, Number.NaN];
    const [unknown] = await opened.predict(passenger);
    expect(unknown).toMatchObject({ probability: null, probabilities: { no: null, yes: null } });
    expect(faceOf(opened.report).domain.output.safeParse(unknown).success).toBe(true);
  });

  test('have a label that is read as the graph calls its classes, and not as a place among them', async () => {
    const version = { ...giving([0.75, 0.25], 1), manifest: { labels } };
    await using known = await openFake({ ...version, labelClasses: { label: ['1', '2'] } });
    expect(await known.predict(passenger)).toMatchObject([{ label: 'no', probability: 0.75 }]);
    await using own = await openFake({ ...version, manifest: { labels: { p: ['1', '2'] } } });
    expect(await own.predict(passenger)).toMatchObject([{ label: '1', probability: 0.75 }]);
    await using place = await openFake({ ...giving([0.25, 0.75], 1), manifest: { labels } });
    expect(await place.predict(passenger)).toMatchObject([{ label: 'yes', probability: 0.75 }]);
  });

  test.each([1, 2])('have a label %i that nothing explains, which is a fault of the labels', async (label) => {
    const scores = label === 1 ? [0.75, 0.25] : [0.25, 0.75];
    await expect(openFake({ ...giving(scores, label), manifest: { labels, face } })).rejects.toThrow(
      `labels.p: the model gives the label ${label} for the example`,
    );
  });

  test('need an output with labels for a function', async () => {
    await expect(
      openFake({ ...giving([0.5, 0.5]), manifest: { face: { ...face, function: 'none' } } }),
    ).rejects.toThrow('face.function: no output of [rows, classes] has labels');
  });
});
