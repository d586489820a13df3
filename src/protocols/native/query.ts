import { z } from 'zod';
import { AppError, relocateFaults } from '../../errors.ts';
import { queryNumber } from '../../http/terms/query-number.ts';
import type { ServedModel } from '../../serving/served-model.ts';
import { checkOutputs } from '../../tensor/check-signature.ts';
import { labelUse } from './class-labels.ts';

const names = z.union([z.string(), z.array(z.string())]);

/** What a client may ask for beside the prediction. */
export const predictionQuery = z.object({
  outputs: names
    .transform((value) => [value].flat())
    .optional()
    .describe('Names of the wanted outputs, separated by commas; all when absent'),
  top: queryNumber(z.number().int().min(1).max(10_000))
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
  const names = wantedOutputs(outputs, signature);
  if (names !== undefined) checkWanted(names, signature);
  if (top === undefined) return;
  const wanted = signature.outputs.filter((output) => names?.includes(output.name) ?? true);
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

/**
 * The names of the outputs in lists with commas between them. A name may have commas itself: of the names that could be
 * meant, it is the longest that the model has.
 */
export function wantedOutputs(
  lists: readonly string[] | undefined,
  { outputs }: ServedModel['signature'],
): readonly string[] | undefined {
  if (lists === undefined) return undefined;
  const known = new Set(outputs.map(({ name }) => name));
  const mostPieces = Math.max(1, ...outputs.map(({ name }) => name.split(',').length));
  return lists.flatMap((list) => {
    const pieces = list.split(',');
    const names: string[] = [];
    for (let start = 0; start < pieces.length; ) {
      const nameOf = (count: number) => pieces.slice(start, start + count).join(',');
      let count = Math.min(mostPieces, pieces.length - start);
      while (count > 1 && !known.has(nameOf(count))) count--;
      names.push(nameOf(count));
      start += count;
    }
    return names;
  });
}

function checkWanted(outputs: readonly string[], signature: ServedModel['signature']): void {
  try {
    checkOutputs(signature, outputs);
  } catch (thrown) {
    throw thrown instanceof AppError ? relocateFaults(thrown, () => ['query', 'outputs']) : thrown;
  }
}
