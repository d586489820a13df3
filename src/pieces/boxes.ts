import { AppError } from '../errors.ts';
import { suppressNonMaxima } from '../faces/object-detection/non-maximum-suppression.ts';

/** Boxes of one picture, in any unit. */
export interface ScoredBoxes {
  /** `[x min, y min, x max, y max]` of each box, one behind the other: four times as many as scores. */
  readonly boxes: ArrayLike<number>;
  readonly scores: ArrayLike<number>;
  /** The class of each box. @default one class */
  readonly classes?: ArrayLike<number>;
}

export interface NmsOptions {
  /** A box that shares more than this of the area that it and a better one cover together is dropped. @default 0.7 */
  readonly iou?: number;
  /** Whether boxes of other classes count, too. @default false */
  readonly agnostic?: boolean;
  /** Score that a box must exceed. @default every box counts */
  readonly threshold?: number;
  /** Most boxes that are kept. @default 300 */
  readonly most?: number;
}

/**
 * Greedy non-maximum suppression, on boxes in FP32: the best box is kept, those that overlap it too much are dropped, and so
 * on. Gives the places of the boxes that are kept, best first, equal scores by their place. The time grows with
 * the boxes and those that are kept: `threshold` and `most` bound it.
 *
 * @throws AppError `INTERNAL` where the lists are of unlike lengths
 */
export function nms({ boxes, scores, classes }: ScoredBoxes, options: NmsOptions = {}): number[] {
  const { iou = 0.7, agnostic = false, threshold = Number.NEGATIVE_INFINITY, most = 300 } = options;
  if (boxes.length !== scores.length * 4 || (classes !== undefined && classes.length !== scores.length)) {
    throw new AppError('INTERNAL', {
      message: `${scores.length} scores need ${scores.length * 4} numbers of boxes and as many classes as scores`,
      received: { boxes: boxes.length, classes: classes?.length },
    });
  }
  const places = Array.from({ length: scores.length }, (_, at) => at).filter((at) => (scores[at] ?? 0) > threshold);
  const kept = suppressNonMaxima(
    {
      boxes: Float32Array.from(places.flatMap((at) => [0, 1, 2, 3].map((edge) => boxes[at * 4 + edge] ?? 0))),
      scores: Float64Array.from(places, (at) => scores[at] ?? 0),
      classes: Int32Array.from(places, (at) => classes?.[at] ?? 0),
    },
    { iou, agnostic, most },
  );
  return kept.map((at) => places[at] ?? 0);
}
