import { open, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { AppError } from '../../src/errors.ts';
import { readOnnxFile } from '../../src/onnx-file/read-onnx-file.ts';
import { temporaryFolder } from '../helpers/folder.ts';
import { bytes, float, int32, int64, integer, onnxModel, string, text, varint } from '../helpers/onnx-model.ts';

async function read(model: Uint8Array) {
  await using folder = await temporaryFolder();
  const path = join(folder.path, 'model.onnx');
  await writeFile(path, model);
  return await readOnnxFile(path);
}

function shipped(model: string) {
  return readOnnxFile(fileURLToPath(new URL(`../../models/${model}/1/model.onnx`, import.meta.url)));
}

const rows = { element: float, shape: ['n', 2] };

test('describes the shipped models', async () => {
  const iris = await shipped('iris');
  expect(iris.inputs).toEqual([{ name: 'features', kind: 'tensor', type: 'tensor(float)', shape: ['batch', 4] }]);
  expect(iris.outputs.map(({ name }) => name)).toEqual(['label', 'probabilities']);
  expect(iris.nodes.map(({ opType }) => opType)).toEqual(['Gemm', 'Softmax', 'ArgMax']);
  expect(iris.nodes[2]?.ints.get('axis')).toEqual([1]);
  expect(iris.opsets).toEqual(new Map([['', 21]]));
  expect(iris.initializers.size).toBe(2);

  const titanic = await shipped('titanic');
  expect(titanic.opsets.get('ai.onnx.ml')).toBe(3);
  expect(titanic.inputs.find(({ name }) => name === 'sex')?.type).toBe('tensor(string)');
  const sentiment = await shipped('sentiment');
  expect(sentiment.nodes).toHaveLength(112);
  expect(sentiment.initializers.size).toBe(2);
  const digits = await shipped('digits');
  expect(digits.nodes.find(({ opType }) => opType === 'Conv')?.ints.get('kernel_shape')).toEqual([3, 3]);
  expect([...digits.smallInts.values()]).toEqual([[1]]);
});

test('names types and shapes as ONNX writes them', async () => {
  const { inputs, outputs, metadata, producer } = await read(
    onnxModel({
      producer: 'test',
      metadata: { names: '{0: "cat"}', empty: '' },
      inputs: { x: { element: 10, shape: ['batch', '', 3] }, none: { element: string }, default: rows },
      outputs: {
        probabilities: { sequence: { key: int64, value: { element: float } } },
        scores: { key: string, value: { element: float } },
        perhaps: { optional: { element: float } },
        sparse: { element: float, shape: [], sparse: true },
        strange: { element: 99 },
      },
      initializers: [{ name: 'default', type: float, dims: [1, 2] }],
    }),
  );
  expect(inputs).toEqual([
    { name: 'x', kind: 'tensor', type: 'tensor(float16)', shape: ['batch', '', 3] },
    { name: 'none', kind: 'tensor', type: 'tensor(string)' },
  ]);
  expect(outputs).toEqual([
    { name: 'probabilities', kind: 'sequence', type: 'seq(map(int64,tensor(float)))' },
    { name: 'scores', kind: 'map', type: 'map(string,tensor(float))' },
    { name: 'perhaps', kind: 'optional', type: 'optional(tensor(float))' },
    { name: 'sparse', kind: 'sparse_tensor', type: 'sparse_tensor(float)', shape: [] },
    { name: 'strange', kind: 'tensor', type: 'tensor(type 99)' },
  ]);
  expect(metadata).toEqual(new Map([['names', '{0: "cat"}'], ['empty', '']])); // biome-ignore format: one line
  expect(producer).toBe('test');
});

test('flattens subgraphs and functions, and keeps apart the names of functions', async () => {
  const axis = (value: number) => ({
    op: 'Constant',
    outputs: ['axis'],
    attributes: [{ name: 'value_int', int: value }],
  });
  const file = await read(
    onnxModel({
      inputs: { x: rows },
      outputs: { y: rows },
      initializers: [{ name: 'axis', type: int64, dims: [], int64s: [0n] }],
      nodes: [
        {
          op: 'If',
          inputs: ['x'],
          outputs: ['y'],
          attributes: [
            {
              name: 'then_branch',
              graph: { nodes: [{ op: 'Loop', attributes: [{ name: 'body', graph: { nodes: [{ op: 'Sum' }] } }] }] },
            },
          ],
        },
      ],
      functions: [{ name: 'f', domain: 'own', nodes: [axis(1), { op: 'CumSum', inputs: ['x', 'axis', ''] }] }],
    }),
  );
  expect(file.nodes.map(({ opType, inMainGraph }) => [opType, inMainGraph])).toEqual([
    ['Sum', false],
    ['Loop', false],
    ['If', true],
    ['Constant', false],
    ['CumSum', false],
  ]);
  expect(file.nodes.at(-1)?.inputs).toEqual(['function 1: x', 'function 1: axis', '']);
  expect(file.smallInts).toEqual(new Map([['axis', [0]], ['function 1: axis', [1]]])); // biome-ignore format: one line
});

test('knows the values of small integer tensors, and of no name that has several', async () => {
  const raw = Buffer.from(new BigInt64Array([-1n, 2n ** 63n - 1n]).buffer);
  const constant = (output: string, value: number) => ({
    op: 'Constant',
    outputs: [output],
    attributes: [{ name: 'value', tensor: { type: int32, dims: [1], int32s: [value] } }],
  });
  const { smallInts } = await read(
    onnxModel({
      initializers: [
        { name: 'raw', type: int64, dims: [2], raw },
        { name: 'listed', type: int32, dims: [3], int32s: [1, -2, 3] },
        { name: 'empty', type: int64, dims: [0] },
        { name: 'floats', type: float, dims: [1], raw: Buffer.alloc(4) },
        { name: 'long', type: int64, dims: [65], int64s: new Array<bigint>(65).fill(1n) },
        { name: 'lies', type: int64, dims: [3], int64s: [1n] },
      ],
      nodes: [
        constant('constant', 7),
        { op: 'Constant', outputs: ['ints'], attributes: [{ name: 'value_ints', ints: [4, 5] }] },
        { op: 'Other', attributes: [{ name: 'body', graph: { nodes: [constant('twice', 1)] } }] },
        { op: 'Other', attributes: [{ name: 'body', graph: { nodes: [constant('twice', 2), constant('same', 3)] } }] },
        { op: 'Other', attributes: [{ name: 'body', graph: { nodes: [constant('same', 3), constant('made', 3)] } }] },
        { op: 'Shape', outputs: ['made'] },
        {
          op: 'Other',
          attributes: [{ name: 'body', graph: { inputs: { raw2: rows }, nodes: [constant('raw2', 3)] } }],
        },
      ],
    }),
  );
  expect(smallInts).toEqual(
    new Map([
      ['raw', [-1, 2 ** 63]],
      ['listed', [1, -2, 3]],
      ['empty', []],
      ['constant', [7]],
      ['ints', [4, 5]],
      ['same', [3]],
    ]),
  );
});

test('keeps attributes exactly, and leaves out long lists', async () => {
  const packed = Buffer.concat([text(1, 'packed'), bytes(8, Buffer.concat([varint(300), varint(-1)]))]);
  const node = Buffer.concat([text(4, 'Op'), bytes(5, packed)]);
  const long = new Array<number>(1025).fill(1);
  const { nodes } = await read(
    Buffer.concat([
      onnxModel({
        nodes: [
          {
            op: 'Op',
            domain: 'ai.onnx.ml',
            attributes: [
              { name: 'axis', int: -1 },
              { name: 'large', ints: [1, 2n ** 62n] },
              { name: 'none', ints: [] },
              { name: 'long', ints: long },
              { name: 'floats', floats: [1, 2] },
              { name: 'mode', string: 'linear' },
              { name: 'labels', strings: ['a', 'é'] },
              { name: 'blob', string: 'x'.repeat(2 ** 21) },
            ],
          },
        ],
      }),
      bytes(7, bytes(1, node)),
    ]),
  );
  expect(nodes).toHaveLength(2);
  expect(nodes[0]?.ints).toEqual(new Map<string, unknown>([['axis', [-1]], ['large', [1n, 2n ** 62n]]])); // biome-ignore format: one line
  expect(nodes[0]?.strings).toEqual(new Map([['mode', ['linear']], ['labels', ['a', 'é']]])); // biome-ignore format: one line
  expect(nodes[1]?.ints.get('packed')).toEqual([300, -1]);
});

test('finds external data wherever a tensor can be, each once', async () => {
  const outside = (location: string) => ({ name: location, type: float, dims: [9], location });
  const file = await read(
    onnxModel({
      nodes: [
        { op: 'Constant', outputs: ['c'], attributes: [{ name: 'value', tensor: outside('constant.bin') }] },
        { op: 'If', attributes: [{ name: 'then_branch', graph: { initializers: [outside('branch.bin')] } }] },
      ],
      initializers: [outside('weights.bin'), outside('weights.bin'), { ...outside('x'), location: '' }],
      functions: [
        { name: 'f', domain: 'own', nodes: [{ op: 'Any', attributes: [{ name: 't', tensor: outside('f.bin') }] }] },
      ],
    }),
  );
  expect(file.externalData).toEqual(['constant.bin', 'branch.bin', 'weights.bin', 'f.bin']);
  expect(file.initializers).toEqual(new Set(['weights.bin', 'x']));
});

test('skips tensors: a file of two gigabytes takes neither memory nor time', async () => {
  await using folder = await temporaryFolder();
  const path = join(folder.path, 'model.onnx');
  const size = 2 ** 31 - 1_000;
  // A graph of one tensor whose bytes are a hole of the file.
  const tensorHead = Buffer.concat([
    integer(1, size / 4),
    integer(2, float),
    text(8, 'w'),
    varint(9 * 8 + 2),
    varint(size),
  ]);
  const graphHead = Buffer.concat([varint(5 * 8 + 2), varint(tensorHead.length + size), tensorHead]);
  const after = bytes(1, text(4, 'Identity'));
  const head = Buffer.concat([varint(7 * 8 + 2), varint(graphHead.length + size + after.length), graphHead]);
  await writeFile(path, head);
  await truncate(path, head.length + size);
  await using file = await open(path, 'r+');
  await file.write(after, 0, after.length, head.length + size);

  const before = process.memoryUsage().rss;
  const { nodes, initializers } = await readOnnxFile(path);
  expect(nodes.map(({ opType }) => opType)).toEqual(['Identity']);
  expect(initializers).toEqual(new Set(['w']));
  expect(process.memoryUsage().rss - before).toBeLessThan(100 * 2 ** 20);
});

function nested(depth: number): Buffer {
  let graph = bytes(1, text(4, 'Leaf'));
  for (let level = 0; level < depth; level += 1) graph = bytes(1, bytes(5, bytes(6, graph)));
  return bytes(7, graph);
}

test('reads subgraphs to the depth of protobuf, and no deeper', async () => {
  expect((await read(nested(30))).nodes).toHaveLength(31);
  await expect(read(nested(40))).rejects.toThrow('nested more than 100 deep');
});

test.each([
  ['nothing', Buffer.alloc(0), 'it has no graph'],
  ['text', Buffer.from('<!doctype html><title>404</title>'), 'unknown wire type'],
  ['a field past the end', Buffer.from([0x3a, 0x05, 1]), 'runs past the end'],
  ['a length beyond all files', Buffer.concat([Buffer.from([0x3a]), varint(2n ** 62n)]), 'runs past the end'],
  ['a negative length', Buffer.concat([Buffer.from([0x3a]), varint(-1)]), 'runs past the end'],
  ['an integer without end', Buffer.alloc(30, 0xff), 'an integer of more than 10 bytes'],
  ['field 0', Buffer.from([0x00, 0x00]), 'there is no field 0'],
  ['a wire type that does not fit', integer(7, 1), 'wire type 0 instead of 2'],
  ['a name of 2 MiB', bytes(7, bytes(1, text(4, 'x'.repeat(2 ** 21)))), 'a name of more than 1 MiB'],
  ['millions of nodes', bytes(7, Buffer.alloc(1_000_000, Buffer.from([0x0a, 0]))), 'describes more than 256 MiB'],
])('refuses %s', async (_what, file, message) => {
  const error: unknown = await read(file).catch((thrown: unknown) => thrown);
  expect(error).toMatchObject({ code: 'MODEL_LOAD_FAILED', message: expect.stringContaining(message) });
});

test('refuses what is no regular file, or is not there', async () => {
  await using folder = await temporaryFolder();
  await expect(readOnnxFile(folder.path)).rejects.toMatchObject({ code: 'MODEL_LOAD_FAILED' });
  const missing = readOnnxFile(join(folder.path, 'model.onnx'));
  await expect(missing).rejects.toMatchObject({ code: 'MODEL_LOAD_FAILED', cause: { code: 'ENOENT' } });
});

const sample = onnxModel({
  inputs: { x: rows },
  outputs: { y: { sequence: { key: int64, value: { element: float } } } },
  metadata: { key: 'value' },
  initializers: [
    { name: 'axis', type: int64, dims: [1], int64s: [-1n] },
    { name: 'w', type: float, dims: [2], location: 'weights.bin' },
  ],
  nodes: [
    { op: 'If', attributes: [{ name: 'then_branch', graph: { nodes: [{ op: 'Neg', outputs: ['a'] }] } }] },
    { op: 'Cast', inputs: ['x'], attributes: [{ name: 'to', int: 1 }, { name: 'mode', strings: ['a'] }] }, // biome-ignore format: one line
  ],
});

test('a file cut or changed anywhere is read, or refused as malformed', async () => {
  await using folder = await temporaryFolder();
  const path = join(folder.path, 'model.onnx');
  const check = async (file: Uint8Array) => {
    await writeFile(path, file);
    const error: unknown = await readOnnxFile(path).then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
    if (error !== undefined) {
      expect(error).toBeInstanceOf(AppError);
      expect(error).toMatchObject({ code: 'MODEL_LOAD_FAILED', message: expect.stringContaining('not a readable') });
    }
  };
  const change = fc.record({ at: fc.nat(sample.length - 1), byte: fc.integer({ min: 0, max: 255 }) });
  const changes = fc.record({ length: fc.nat(sample.length), changes: fc.array(change, { maxLength: 4 }) });
  await fc.assert(
    fc.asyncProperty(changes, async ({ length, changes: each }) => {
      const file = Buffer.from(sample);
      for (const { at, byte } of each) file[at] = byte;
      await check(file.subarray(0, length));
    }),
    { numRuns: 1_000 },
  );
  await fc.assert(fc.asyncProperty(fc.uint8Array({ maxLength: 200 }), check), { numRuns: 500 });
});

test('every cut but the one after the graph is refused', async () => {
  const whole = bytes(7, bytes(1, text(4, 'Neg')));
  for (let length = 0; length < whole.length; length += 1) {
    await expect(read(whole.subarray(0, length))).rejects.toMatchObject({ code: 'MODEL_LOAD_FAILED' });
  }
});
