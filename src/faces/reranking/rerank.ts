import { sigmoid } from '../image-classification/classify.ts';

/** How well a document answers a query. */
export interface RankedDocument {
  readonly index: number;
  readonly score: number;
}

/**
 * Documents by what the model says of them, the best first. They are ordered by the logits, since the sigmoid of large ones
 * is 1 for all; equal ones keep their order.
 */
export function rankDocuments(
  logits: readonly number[],
  { isRaw, most }: { readonly isRaw: boolean; readonly most: number | undefined },
): readonly RankedDocument[] {
  return [...logits.entries()]
    .sort(([, a], [, b]) => b - a)
    .slice(0, most ?? logits.length)
    .map(([index, logit]) => ({ index, score: isRaw ? logit : sigmoid(logit) }));
}
