import { z } from 'zod';
import { invalidFace } from '../face-faults.ts';

export interface FloatTensor {
  readonly shape: readonly number[];
  readonly values: Float32Array;
}

const header = z.record(
  z.string(),
  z.union([
    z.object({
      dtype: z.string(),
      shape: z.array(z.int().min(0)),
      data_offsets: z.tuple([z.int().min(0), z.int().min(0)]),
    }),
    // `__metadata__`
    z.record(z.string(), z.string()),
  ]),
);

const elementBytes: ReadonlyMap<string, number> = new Map([
  ['F32', 4],
  ['F16', 2],
  ['BF16', 2],
]);

/**
 * The tensors of floats in a file of safetensors, which is a header of JSON behind its length of 8 bytes, and then data.
 * Source: https://github.com/huggingface/safetensors, "Format"
 *
 * @throws AppError `FACE_INVALID` for a file that is cut, or has tensors of other types
 */
export function readSafetensors(bytes: Uint8Array, name: string): ReadonlyMap<string, FloatTensor> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const headerBytes = bytes.length >= 8 ? Number(view.getBigUint64(0, true)) : Number.POSITIVE_INFINITY;
  if (headerBytes > bytes.length - 8) throw invalidFace([`${name}: it is cut`]);
  const parsed = header.safeParse(parseJson(new TextDecoder().decode(bytes.subarray(8, 8 + headerBytes)), name));
  if (!parsed.success) throw invalidFace([`${name}: its header is no list of tensors`]);
  const tensors = new Map<string, FloatTensor>();
  for (const [tensor, entry] of Object.entries(parsed.data)) {
    if (!('data_offsets' in entry) || !Array.isArray(entry.data_offsets) || !Array.isArray(entry.shape)) continue;
    const { dtype, shape, data_offsets: offsets } = entry;
    const size = elementBytes.get(String(dtype));
    const elements = shape.reduce((product, dimension) => product * dimension, 1);
    const [start, end] = [8 + headerBytes + offsets[0], 8 + headerBytes + offsets[1]];
    if (size === undefined) throw invalidFace([`${name}: ${tensor} is ${dtype}, expected F32, F16 or BF16`]);
    if (end > bytes.length || end - start !== elements * size) throw invalidFace([`${name}: ${tensor} is cut`]);
    tensors.set(tensor, { shape, values: readFloats(view, { start, elements, dtype: String(dtype) }) });
  }
  return tensors;
}

function parseJson(text: string, name: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw invalidFace([`${name}: its header is not valid JSON`], cause);
  }
}

function readFloats(
  view: DataView,
  { start, elements, dtype }: { readonly start: number; readonly elements: number; readonly dtype: string },
): Float32Array {
  const values = new Float32Array(elements);
  if (dtype === 'F32') {
    for (let index = 0; index < elements; index++) values[index] = view.getFloat32(start + index * 4, true);
  } else if (dtype === 'F16') {
    for (let index = 0; index < elements; index++) values[index] = view.getFloat16(start + index * 2, true);
  } else {
    // The upper half of an FP32.
    const bits = new Uint32Array(values.buffer);
    for (let index = 0; index < elements; index++) bits[index] = view.getUint16(start + index * 2, true) << 16;
  }
  return values;
}
