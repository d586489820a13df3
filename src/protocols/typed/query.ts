import { z } from 'zod';
import { AppError, relocateFaults } from '../../errors.ts';
import type { ServedModel } from '../../serving/infer.ts';
import { checkOutputs } from '../../tensor/check-signature.ts';
import { labelUse } from './class-labels.ts';

const names = z.union([z.string(), z.array(z.string())]);

/** What a client may ask for beside the prediction. */
export const predictionQuery = z.object({
  outputs: names
    .transform((value) => [value].flat().flatMap((list) => list.split(',')))
    .optional()
    .describe('Names of the wanted outputs, separated by commas; all when absent'),
  top: z.coerce
    .number()
    .int()
    .min(1)
    .max(10_000)
    .optional()
    .describe('Only the best classes of each row, this many, best first; needs labels in model.json'),
  labels: z
    .enum(['true', 'false'])
    .default('true')
    .transform((value) => value === 'true')
    .describe('false: numbers where the labels of model.json give names'),
});

export type PredictionQuery = z.output<typeof predictionQuery>;

/**
 * Checks that the model can give what is asked for.
 *
 * @throws AppError `SIGNATURE_MISMATCH` for an unknown output; `VALIDATION_FAILED` when `top` has no classes to choose from
 */
export function checkQuery(
  { outputs, top, labels }: PredictionQuery,
  { name, signature, manifest }: ServedModel,
): void {
  if (outputs !== undefined) checkWanted(outputs, signature);
  if (top === undefined) return;
  const wanted = signature.outputs.filter((output) => outputs?.includes(output.name) ?? true);
  const chooses = (output: (typeof wanted)[number]) =>
    Object.hasOwn(manifest.labels, output.name) && labelUse(output) === 'values';
  if (labels && wanted.some(chooses)) return;
  const message = labels
    ? `top needs an output of one value for each class, with labels in model.json; the model ${name} gives none`
    : 'top gives classes by name; it does not go with labels=false';
  throw new AppError('VALIDATION_FAILED', {
    message,
    received: top,
    faults: [{ location: ['query', 'top'], type: 'invalid_value', message }],
  });
}

function checkWanted(outputs: readonly string[], signature: ServedModel['signature']): void {
  try {
    checkOutputs(signature, outputs);
  } catch (thrown) {
    throw thrown instanceof AppError ? relocateFaults(thrown, () => ['query', 'outputs']) : thrown;
  }
}
