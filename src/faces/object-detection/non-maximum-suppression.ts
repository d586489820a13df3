import { finish, type SlicedWork } from '../../timing/sliced-work.ts';
import { byScore, type Candidates } from './candidates.ts';

/** So many pairs of boxes are compared in one go, which takes a millisecond. */
const comparedAtOnce = 100_000;

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
export function suppressNonMaxima(candidates: Candidates, options: SuppressionOptions): number[] {
  return finish(suppressInSlices(candidates, options));
}

/** As {@link suppressNonMaxima}, with pauses where others may go on: of tens of thousands of candidates it takes a second. */
export function* suppressInSlices(
  candidates: Candidates,
  { iou, agnostic, most }: SuppressionOptions,
): SlicedWork<number[]> {
  const { boxes, classes } = candidates;
  const kept: number[] = [];
  /** Those that are compared with each other. */
  const keptOfClass = new Map<number, number[]>();
  let compared = 0;
  for (const at of yield* byScore(candidates)) {
    if (kept.length >= most) break;
    const category = agnostic ? 0 : (classes[at] ?? 0);
    const better = keptOfClass.get(category) ?? [];
    compared += better.length + 1;
    if (compared > comparedAtOnce) {
      compared = 0;
      yield;
    }
    if (overlapsAny(boxes, at, better, iou)) continue;
    kept.push(at);
    better.push(at);
    keptOfClass.set(category, better);
  }
  return kept;
}

/** Whether a box shares more than `iou` of the area that it and one of the others cover together. */
function overlapsAny(boxes: Float32Array, box: number, others: readonly number[], iou: number): boolean {
  const left = boxes[box * 4] ?? 0;
  const top = boxes[box * 4 + 1] ?? 0;
  const right = boxes[box * 4 + 2] ?? 0;
  const bottom = boxes[box * 4 + 3] ?? 0;
  const area = (right - left) * (bottom - top);
  for (const other of others) {
    const otherLeft = boxes[other * 4] ?? 0;
    const otherRight = boxes[other * 4 + 2] ?? 0;
    // Most boxes lie elsewhere.
    if (otherLeft >= right || otherRight <= left) continue;
    const otherTop = boxes[other * 4 + 1] ?? 0;
    const otherBottom = boxes[other * 4 + 3] ?? 0;
    if (otherTop >= bottom || otherBottom <= top) continue;
    const width = Math.min(right, otherRight) - Math.max(left, otherLeft);
    const height = Math.min(bottom, otherBottom) - Math.max(top, otherTop);
    const shared = width * height;
    const covered = area + (otherRight - otherLeft) * (otherBottom - otherTop) - shared;
    if (shared / covered > iou) return true;
  }
  return false;
}
