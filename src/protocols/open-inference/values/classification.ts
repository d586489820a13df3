import type { ServedModel } from '../../../serving/served-model.ts';
import { classNamesOf } from '../../../tensor/class-names.ts';
import { classify } from '../../../tensor/classification.ts';
import type { Tensor } from '../../../tensor/tensor.ts';

/**
 * The best classes of an output, with the labels that the model has for it.
 *
 * @param top most classes of a row, at least 1
 * @throws AppError `MALFORMED_TENSOR` when the output has no classes
 */
export function bestClasses(
  tensor: Tensor,
  { name, top }: { readonly name: string; readonly top: number },
  model: ServedModel,
): Tensor {
  const { labels } = model.manifest;
  return classify(tensor, name, {
    top,
    batched: hasRowsOfClasses(model, name),
    labels: classNamesOf(labels, name),
  });
}

/** Whether dimension 0 of an output counts rows that have classes of their own, also where rows depend on each other. */
function hasRowsOfClasses({ independentRows, signature }: ServedModel, output: string): boolean {
  if (independentRows) return true;
  const shape = signature.outputs.find(({ name }) => name === output)?.shape ?? [];
  return shape.length > 1 && shape[0] === -1;
}
