import { AppError } from '../../../errors.ts';
import { type modelInferResponse, noContents } from '../../../open-inference-messages/messages/infer.ts';
import type { MessageOf } from '../../../open-inference-messages/protobuf/message.ts';
import { tensorFromContents } from '../../../open-inference-messages/typed-contents.ts';
import { tensorFromBytes } from '../../../tensor/binary-codec.ts';
import type { Tensor, Tensors } from '../../../tensor/tensor.ts';
import { maxRank } from '../../../tensor/tensor-header.ts';
import { unusable } from '../failures.ts';

/**
 * The outputs of an answer, whose elements stand in `raw_output_contents` or in the contents of each output.
 *
 * @throws RemoteFailure `REMOTE_FAILED`
 */
export function readOutputs({ outputs, rawOutputContents }: MessageOf<typeof modelInferResponse>): Tensors {
  const isRaw = rawOutputContents.length > 0;
  if (isRaw && rawOutputContents.length !== outputs.length) {
    throw unusable(`raw_output_contents has ${rawOutputContents.length} entries for ${outputs.length} outputs`);
  }
  const tensors: Record<string, Tensor> = Object.create(null);
  for (const [index, { name, datatype, shape, contents = noContents }] of outputs.entries()) {
    // One more dimension than allowed is enough to be refused.
    const header = { datatype, shape: Array.from(shape.subarray(0, maxRank + 1), Number) };
    const section = rawOutputContents[index];
    try {
      tensors[name] =
        section === undefined
          ? tensorFromContents(header, contents, name)
          : tensorFromBytes({ ...header, section }, name);
    } catch (thrown) {
      if (thrown instanceof AppError) throw unusable(thrown.message, thrown);
      throw thrown;
    }
  }
  return tensors;
}
