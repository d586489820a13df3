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
