import type { Tensor } from './tensor.ts';

/** The elements of a tensor of floats as numbers; those of FP16, which are bits, are read. Undefined for other types. */
export function floatValues(tensor: Tensor): Float32Array | Float64Array | undefined {
  if (tensor.datatype === 'FP32' || tensor.datatype === 'FP64') return tensor.data;
  if (tensor.datatype !== 'FP16') return undefined;
  const { buffer, byteOffset, length } = tensor.data;
  return Float32Array.from(new Float16Array(buffer, byteOffset, length));
}
