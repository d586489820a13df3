import type { ServedModel } from '../../../../serving/served-model.ts';
import { splitSections, tensorFromBytes } from '../../../../tensor/binary-codec.ts';
import { checkInputNames } from '../../../../tensor/check-signature.ts';
import { readJsonTensor } from '../../../../tensor/json/json-codec.ts';
import type { Tensor, Tensors } from '../../../../tensor/tensor.ts';
import type { SlicedWork } from '../../../../timing/sliced-work.ts';
import type { InferBody } from './infer-body.ts';
import type { RequestInput } from './infer-request.ts';
import { decodeRaw } from './raw-request.ts';

/**
 * The tensors of a request, by name. Binary ones of a fixed element size are views of the body.
 *
 * @throws AppError `MALFORMED_TENSOR`, `MALFORMED_BODY` or `SIGNATURE_MISMATCH`
 */
export function* decodeInputs(body: InferBody, model: ServedModel): SlicedWork<Tensors> {
  if (body.kind === 'raw') return decodeRaw(body.bytes, model);
  const { request, binary } = body;
  checkInputNames(
    model.signature,
    request.inputs.map(({ name }) => name),
  );
  const sections = splitSections(binary, request.inputs.filter(isBinary)).values();
  const tensors: Record<string, Tensor> = Object.create(null);
  for (const input of request.inputs) {
    tensors[input.name] = isBinary(input)
      ? tensorFromBytes({ ...input, section: sections.next().value ?? nothing }, input.name)
      : yield* readJsonTensor(input, input.name);
  }
  return tensors;
}

const nothing = new Uint8Array();

function isBinary(input: RequestInput): input is Extract<RequestInput, { byteSize: number }> {
  return 'byteSize' in input;
}
