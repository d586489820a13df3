import { AppError } from '../../../../errors.ts';
import type { ServedModel } from '../../../../serving/served-model.ts';
import { tensorFromBytes } from '../../../../tensor/binary-codec.ts';
import { elementBytes } from '../../../../tensor/data-type.ts';
import { elementCount, type TensorSpec, type Tensors } from '../../../../tensor/tensor.ts';

/**
 * The tensor of a raw binary request, whose body is nothing but the bytes of the model's only input. At most one
 * dimension can be free, and follows from the size; beside another one, that of the rows is 1. BYTES is one text.
 *
 * @see https://github.com/triton-inference-server/server/blob/main/docs/protocol/extension_binary_data.md (Raw Binary Request)
 * @throws AppError `MALFORMED_BODY` when the model does not take such requests, `MALFORMED_TENSOR` for a wrong size
 */
export function decodeRaw(bytes: Uint8Array, { name, signature }: ServedModel): Tensors {
  const [input, ...others] = signature.inputs;
  if (input === undefined || others.length > 0) {
    throw refuse(name, `it takes ${signature.inputs.length} inputs, not one`);
  }
  const { datatype } = input;
  const shape = rawShape(input, bytes, name);
  return { [input.name]: tensorFromBytes({ datatype, shape, section: bytes }, input.name) };
}

function rawShape({ datatype, shape }: TensorSpec, bytes: Uint8Array, name: string): number[] {
  const size = elementBytes(datatype);
  if (size === undefined) {
    const single = shape.map((dimension) => (dimension === -1 ? 1 : dimension));
    if (elementCount(single) !== 1) throw refuse(name, `its input has ${elementCount(single)} texts, not one`);
    return single;
  }
  const free = shape.filter((dimension) => dimension === -1).length;
  const isOneRow = shape[0] === -1 && free > 1;
  const known = isOneRow ? [1, ...shape.slice(1)] : [...shape];
  const unknown = known.filter((dimension) => dimension === -1).length;
  if (unknown > 1) throw refuse(name, `its input has ${unknown} dimensions of any size`);
  const fixed = elementCount(known.filter((dimension) => dimension !== -1));
  // A size that is no multiple gives a shape of another size, which is refused where the tensor is made.
  const rest = fixed === 0 ? 0 : Math.floor(bytes.byteLength / size / fixed);
  return known.map((dimension) => (dimension === -1 ? rest : dimension));
}

function refuse(name: string, reason: string): AppError {
  const message = `inference-header-content-length is 0, but the model ${name} takes no raw binary request: ${reason}`;
  return new AppError('MALFORMED_BODY', { message });
}
