import { shapeText } from '../../tensor/check-signature.ts';
import { quote } from '../../tensor/malformed-tensor.ts';
import type { Signature, Tensor, TensorSpec, Tensors } from '../../tensor/tensor.ts';
import { unusable } from './failures.ts';

/**
 * The wanted outputs of an answer, in order. How many elements each has was checked when it was read.
 *
 * @param rows rows that every output must have; undefined where the first dimension may be anything
 * @throws RemoteFailure `REMOTE_FAILED` for an output that is missing, of another type or another shape
 */
export function checkAnswer(
  { outputs: specs }: Signature,
  answer: Tensors,
  { outputs, rows }: { readonly outputs: readonly number[]; readonly rows: number | undefined },
): readonly Tensor[] {
  return outputs.map((index) => {
    const spec = specs[index];
    const tensor = spec && Object.hasOwn(answer, spec.name) ? answer[spec.name] : undefined;
    if (spec === undefined || tensor === undefined) throw unusable(`it has no output ${quote(spec?.name ?? index)}`);
    checkTensor(spec, tensor, rows);
    return tensor;
  });
}

function checkTensor({ name, datatype, shape }: TensorSpec, tensor: Tensor, rows: number | undefined): void {
  if (tensor.datatype !== datatype) {
    throw unusable(`its output ${quote(name)} is ${tensor.datatype}; expected ${datatype}`);
  }
  const expected = rows === undefined || shape.length === 0 ? shape : [rows, ...shape.slice(1)];
  // A shape without dimensions stands for one of any rank.
  const fits =
    shape.length === 0 ||
    (tensor.shape.length === expected.length &&
      expected.every((size, axis) => size === -1 || size === tensor.shape[axis]));
  if (!fits) {
    throw unusable(
      `its output ${quote(name)} has the shape ${shapeText(tensor.shape)}; expected ${shapeText(expected)}`,
    );
  }
}
