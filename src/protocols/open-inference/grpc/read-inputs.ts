import { AppError } from '../../../errors.ts';
import {
  type InferInput,
  type ModelInferRequest,
  noContents,
} from '../../../open-inference-messages/messages/infer.ts';
import { tensorFromContents } from '../../../open-inference-messages/typed-contents.ts';
import { tensorFromBytes } from '../../../tensor/binary-codec.ts';
import { checkInputNames } from '../../../tensor/check-signature.ts';
import { quote } from '../../../tensor/malformed-tensor.ts';
import type { Signature, Tensor, Tensors } from '../../../tensor/tensor.ts';
import { maxRank } from '../../../tensor/tensor-header.ts';

/**
 * The inputs of a request, whose elements stand in `raw_input_contents` or in the contents of each input.
 *
 * @throws AppError `MALFORMED_BODY` when an input comes twice, both forms or shared memory are used, or the raw contents are not one for
 *   each input; `MALFORMED_TENSOR` when a tensor is not what it says; `SIGNATURE_MISMATCH` for names that are far from the model's
 */
export function readInputs({ inputs, rawInputContents }: ModelInferRequest, signature: Signature): Tensors {
  checkInputNames(
    signature,
    inputs.map(({ name }) => name),
  );
  const isRaw = rawInputContents.length > 0;
  if (isRaw && rawInputContents.length !== inputs.length) {
    const message = `raw_input_contents has ${rawInputContents.length} entries for ${inputs.length} inputs`;
    throw new AppError('MALFORMED_BODY', { message, received: rawInputContents.length, expected: inputs.length });
  }
  const tensors: Record<string, Tensor> = Object.create(null);
  for (const [index, input] of inputs.entries()) {
    const { name } = input;
    if (name in tensors) throw malformedInput(name, 'comes twice');
    if (input.parameters.has('shared_memory_region'))
      throw malformedInput(name, 'is in shared memory, which is not supported');
    if (isRaw && input.contents !== undefined) throw malformedInput(name, 'has contents beside raw_input_contents');
    tensors[name] = readInput(input, rawInputContents[index]);
  }
  return tensors;
}

function readInput({ name, datatype, shape, contents = noContents }: InferInput, raw: Uint8Array | undefined): Tensor {
  // One more dimension than allowed is enough to be refused.
  const header = { datatype, shape: Array.from(shape.subarray(0, maxRank + 1), Number) };
  return raw === undefined
    ? tensorFromContents(header, contents, name)
    : tensorFromBytes({ ...header, section: raw }, name);
}

function malformedInput(name: string, reason: string): AppError {
  const message = `The input ${quote(name)} ${reason}`;
  return new AppError('MALFORMED_BODY', { message, faults: [{ location: [name], type: 'invalid_input', message }] });
}
