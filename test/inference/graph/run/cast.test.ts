import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { castTensor } from '../../../../src/inference/graph/run/wires/cast-tensor.ts';
import { loadModel } from '../../../../src/inference/model.ts';
import type { Predictor } from '../../../../src/inference/predictor.ts';
import type { DataType } from '../../../../src/tensor/data-type.ts';
import { sliceElements } from '../../../../src/tensor/rows.ts';
import { elementCount, float32, int64, type Tensor, text } from '../../../../src/tensor/tensor.ts';
import { systemClock } from '../../../../src/timing/clock.ts';
import { dataTypes, elementTypes } from '../../../helpers/identity-model.ts';
import { onnxModel } from '../../../helpers/onnx-model.ts';
import { bitsButNaN } from '../../../tensor/arbitrary-tensor.ts';
import { modelOptions, recordingLog } from '../../models.ts';
import { asking } from '../graphs.ts';

const place = ['in', 'x'];
const fp16 = (...values: number[]): Tensor => ({
  datatype: 'FP16',
  shape: [values.length],
  data: new Uint16Array(Float16Array.from(values).buffer),
});
const fp64 = (...values: number[]): Tensor => ({
  datatype: 'FP64',
  shape: [values.length],
  data: Float64Array.from(values),
});
const uint64 = (...values: bigint[]): Tensor => ({
  datatype: 'UINT64',
  shape: [values.length],
  data: BigUint64Array.from(values),
});

const floats = [
  0,
  -0,
  1,
  -1,
  0.5,
  -0.9,
  1.5,
  2.5,
  127.9,
  255,
  3.25,
  65504,
  1e-5,
  0.0001,
  1234567.25,
  1234567.75,
  1e7,
  1e8,
  2 ** 31,
  2 ** 62,
  1e20,
  1e-30,
  Infinity,
  -Infinity,
  NaN,
];
const wholes = [0, 1, 2, 127, 128, 200, 255, 32_767, 65_535, 2 ** 31 - 1, 2 ** 32 - 1];
const samples: Readonly<Record<DataType, Tensor>> = {
  FP16: fp16(...floats),
  FP32: float32([floats.length], floats),
  FP64: fp64(...floats, 0.1, 1 / 3, 1e300, 5e-324, 123456789.125),
  BOOL: { datatype: 'BOOL', shape: [2], data: Uint8Array.of(0, 1) },
  UINT8: { datatype: 'UINT8', shape: [3], data: Uint8Array.of(0, 1, 255) },
  INT8: { datatype: 'INT8', shape: [4], data: Int8Array.of(-128, -1, 0, 127) },
  UINT16: { datatype: 'UINT16', shape: [3], data: Uint16Array.of(0, 255, 65_535) },
  INT16: { datatype: 'INT16', shape: [4], data: Int16Array.of(-32_768, -1, 0, 32_767) },
  UINT32: { datatype: 'UINT32', shape: [wholes.length], data: Uint32Array.from(wholes) },
  INT32: { datatype: 'INT32', shape: [4], data: Int32Array.of(-(2 ** 31), -129, 0, 2 ** 31 - 1) },
  // The last two lie in the middle of two floats but for the last bit, so that to round twice would go wrong.
  INT64: int64(
    [8],
    [
      -(2n ** 63n),
      -1n,
      0n,
      2n ** 53n + 1n,
      2n ** 63n - 1n,
      300n,
      2n ** 60n + 2n ** 36n + 1n,
      -(2n ** 60n) - 2n ** 36n - 1n,
    ],
  ),
  UINT64: uint64(0n, 2n ** 53n + 1n, 2n ** 63n, 2n ** 64n - 1n, 2n ** 63n + 2n ** 39n + 1n),
  BYTES: text([3], ['0', '1', '100']),
};

/** For integers, texts that are no whole numbers are undefined: the runtime refuses the whole tensor. */
const numbers = text([8], ['0', '1e2', '3.14', '  7', '-1', 'NaN', 'INF', '-INF']);
const given = [
  ...dataTypes.map((datatype) => ({ name: datatype, tensor: samples[datatype] })),
  { name: 'numbers', tensor: numbers },
];
const casts = [
  ...dataTypes.flatMap((from) => dataTypes.flatMap((to) => (isDefined(from, to) ? [{ from, to }] : []))),
  ...(['FP32', 'FP64'] as const).map((to) => ({ from: 'numbers', to })),
].map((pair) => ({ ...pair, name: `${pair.from}_${pair.to}` }));

function valueType(datatype: DataType, rows: string) {
  return { element: elementTypes[datatype], shape: [`n${rows}`] };
}

/** Whether the runtime does what the rules say: it reads BOOL of a text as C does, and rounds FP64 to FP16 twice. */
function isDefined(from: DataType, to: DataType): boolean {
  return from !== to && !(from === 'BYTES' && to === 'BOOL') && !(from === 'FP64' && to === 'FP16');
}

describe('a cast', () => {
  let predictor: Predictor;
  let folder: string;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'inferd-test-'));
    const path = join(folder, 'model.onnx');
    const model = onnxModel({
      inputs: Object.fromEntries(given.map(({ name, tensor }) => [name, valueType(tensor.datatype, name)])),
      outputs: Object.fromEntries(casts.map(({ name, from, to }) => [name, valueType(to, from)])),
      nodes: casts.map(({ name, from, to }) => ({
        op: 'Cast',
        inputs: [from],
        outputs: [name],
        attributes: [{ name: 'to', int: elementTypes[to] }],
      })),
    });
    await writeFile(path, model);
    predictor = await loadModel(modelOptions('casts', { path }), { clock: systemClock, log: recordingLog() });
  });

  afterAll(async () => {
    await predictor.close();
    await rm(folder, { recursive: true });
  });

  it('gives what ONNX Runtime gives, wherever the rules say what that is', async () => {
    const inputs = Object.fromEntries(given.map(({ name, tensor }) => [name, tensor]));
    const { outputs } = await predictor.predict(inputs, asking(systemClock));
    let compared = 0;
    for (const { name, from, to } of casts) {
      const [tensor, expected] = [inputs[from], outputs[name]];
      if (tensor === undefined || expected === undefined) throw new Error(`there is no ${name}`);
      for (let index = 0; index < elementCount(tensor.shape); index += 1) {
        const one = sliceElements(tensor, [1], index, index + 1);
        const cast = castOrNothing(one, to);
        if (cast === undefined) continue;
        compared += 1;
        const what = `${String(one.data[0])} (${tensor.datatype}) as ${to}`;
        const wanted = sliceElements(expected, [1], index, index + 1);
        expect({ what, got: bitsButNaN(cast) }).toEqual({ what, got: bitsButNaN(wanted) });
      }
    }
    expect(compared).toBeGreaterThan(600);
  });

  it.each<[Tensor, DataType]>([
    [float32([1], [Number.NaN]), 'INT32'],
    [float32([1], [Number.POSITIVE_INFINITY]), 'INT64'],
    [float32([1], [-1]), 'UINT8'],
    [float32([1], [256]), 'UINT8'],
    [fp64(2 ** 63), 'INT64'],
    [fp64(2 ** 64), 'UINT64'],
    [int64([1], [128]), 'INT8'],
    [int64([1], [-1]), 'UINT64'],
    [uint64(2n ** 63n), 'INT64'],
    [text([1], ['300']), 'INT8'],
    [text([1], ['Hello']), 'FP32'],
    [text([1], ['']), 'INT64'],
    [text([1], ['0x10']), 'INT32'],
    [text([1], ['NaN']), 'INT64'],
    [text([1], ['9223372036854775808']), 'INT64'],
    [text([1], ['maybe']), 'BOOL'],
  ])('refuses %o as %s', (tensor, to) => {
    expect(() => castTensor(tensor, to, place)).toThrow(
      expect.objectContaining({
        code: 'MODEL_REFUSED_INPUT',
        faults: [expect.objectContaining({ location: ['in', 'x', 0] })],
      }),
    );
  });

  it.each<[Tensor, DataType, unknown[]]>([
    [fp64(-(2 ** 63), 2 ** 63 - 1024), 'INT64', [-(2n ** 63n), 2n ** 63n - 1024n]],
    [fp64(-0.99, 255.99), 'UINT8', [0, 255]],
    [
      text([3], ['9223372036854775807', '-9223372036854775808', '100.5']),
      'INT64',
      [2n ** 63n - 1n, -(2n ** 63n), 100n],
    ],
    [text([4], ['true', 'FALSE', '0', '2']), 'BOOL', [1, 0, 0, 1]],
    [text([4], ['+inf', 'nan', '1E8', '-.5']), 'FP64', [Infinity, NaN, 1e8, -0.5]],
    [float32([2], [Number.NaN, -0]), 'BOOL', [1, 0]],
    [int64([1], [2n ** 63n - 1n]), 'BYTES', ['9223372036854775807']],
  ])('takes %o as %s', (tensor, to, expected) => {
    expect([...castTensor(tensor, to, place).data]).toEqual(expected);
  });

  it('keeps the shape, and tensors of the type as they are', () => {
    const tensor = float32([2, 0, 3], []);
    expect(castTensor(tensor, 'FP32', place)).toBe(tensor);
    expect(castTensor(tensor, 'BYTES', place)).toEqual(text([2, 0, 3], []));
  });
});

function castOrNothing(tensor: Tensor, to: DataType): Tensor | undefined {
  try {
    return castTensor(tensor, to, place);
  } catch {
    return undefined;
  }
}
