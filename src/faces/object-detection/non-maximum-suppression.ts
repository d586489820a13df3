import { byScore, type Candidates } from './candidates.ts';

export interface SuppressionOptions {
  /** A box that overlaps a better one by more than this share of both is dropped. */
  readonly iou: number;
  /** Whether boxes of other classes count, too. */
  readonly agnostic: boolean;
  /** Most boxes that are kept. */
  readonly most: number;
}

/**
 * Greedy non-maximum suppression: the best candidate is kept, those that overlap it too much are dropped, and so on. Gives
 * the places of those that are kept, best first.
 */
export function suppressNonMaxima(candidates: Candidates, { iou, agnostic, most }: SuppressionOptions): number[] {
  const { boxes, classes } = candidates;
  const kept: number[] = [];
  for (const at of byScore(candidates)) {
    if (kept.length >= most) break;
    const isDropped = kept.some(
      (better) => (agnostic || classes[better] === classes[at]) && overlap(boxes, better, at) > iou,
    );
    if (!isDropped) kept.push(at);
  }
  return kept;
}

/** The area that two boxes share, of the area that both cover; 0 for boxes without any. */
function overlap(boxes: Float32Array, first: number, second: number): number {
  const edge = (box: number, side: number) => boxes[box * 4 + side] ?? 0;
  const width = Math.min(edge(first, 2), edge(second, 2)) - Math.max(edge(first, 0), edge(second, 0));
  const height = Math.min(edge(first, 3), edge(second, 3)) - Math.max(edge(first, 1), edge(second, 1));
  if (width <= 0 || height <= 0) return 0;
  const area = (box: number) => (edge(box, 2) - edge(box, 0)) * (edge(box, 3) - edge(box, 1));
  const shared = width * height;
  return shared / (area(first) + area(second) - shared);
}
