import { type Tensor, type Tensors, tensorBytes, tensorOver } from './tensor.ts';

/** The same tensors in memory of their own. */
export function copyTensors(tensors: Tensors): Tensors {
  return Object.fromEntries(Object.entries(tensors).map(([name, tensor]) => [name, copyTensor(tensor)]));
}

function copyTensor(tensor: Tensor): Tensor {
  if (tensor.datatype === 'BYTES') return tensor;
  const { buffer, byteOffset, byteLength } = tensor.data;
  return tensorOver(tensor.datatype, tensor.shape, new Uint8Array(buffer, byteOffset, byteLength).slice());
}

/** Bytes that the tensors take in memory. */
export function tensorsBytes(tensors: Tensors): number {
  return Object.values(tensors).reduce((sum, tensor) => sum + tensorBytes(tensor), 0);
}
