import { AppError } from '../errors.ts';
import type { Signature, Tensor, TensorSpec, Tensors } from '../tensor/tensor.ts';
import { invalidFace } from './face-faults.ts';
import type { ScoreSource } from './probability.ts';

/** The output of a model that has a score for each class. */
export interface ScoresOutput {
  readonly name: string;
  readonly spec: TensorSpec;
  /** What errors call numbers of it that are no probabilities. */
  readonly source: ScoreSource;
  /**
   * Says how many classes have names.
   *
   * @throws AppError `FACE_INVALID` when the output is known to have more or fewer
   */
  checkLabels(labels: readonly string[]): void;
  /** @throws AppError `INTERNAL` when the model has not given it, or with more or fewer classes than have names */
  of(outputs: Tensors): Tensor;
}

/**
 * The output with the scores of classes: the one named, else `logits`, else the only one.
 *
 * @param options `ofTokens`: there is a score of each class for each token, and not for each row
 * @throws AppError `FACE_INVALID` that names the outputs there are
 */
export function scoresOutput(
  { outputs }: Signature,
  name: string | undefined,
  { ofTokens = false }: { readonly ofTokens?: boolean } = {},
): ScoresOutput {
  const only = outputs.length === 1 ? outputs[0] : undefined;
  const spec = outputs.find((output) => output.name === (name ?? 'logits')) ?? (name === undefined ? only : undefined);
  if (spec === undefined) {
    const names = outputs.map((output) => output.name).join(', ');
    throw invalidFace([
      name === undefined
        ? `face.output: the outputs are ${names}; say which has the scores`
        : `face.output: the model has no output ${JSON.stringify(name)}, but ${names}`,
    ]);
  }
  const classes = spec.shape.at(-1) ?? -1;
  let named = 0;
  return {
    name: spec.name,
    spec,
    source: { output: spec.name, key: 'face.function' },
    checkLabels(labels) {
      named = labels.length;
      if (labels.length === 0 || classes < 0 || labels.length === classes) return;
      throw invalidFace([`the output ${spec.name} has ${classes} classes, ${labels.length} have names`]);
    },
    of(tensors) {
      const tensor = tensors[spec.name];
      if (tensor === undefined) throw new AppError('INTERNAL', { message: `The model gave no output ${spec.name}` });
      const given = ofTokens
        ? (tensor.shape.at(-1) ?? 0)
        : tensor.shape.slice(1).reduce((product, dimension) => product * dimension, 1);
      if (given === 0) throw new AppError('INTERNAL', { message: `The output ${spec.name} is empty` });
      if (named === 0 || given === named) return tensor;
      throw new AppError('INTERNAL', {
        message: `The output ${spec.name} has ${given} classes, ${named} have names`,
        received: given,
        expected: named,
      });
    },
  };
}
