import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { byScore } from '../../../src/faces/object-detection/candidates.ts';
import { detectInSlices } from '../../../src/faces/object-detection/detect.ts';
import { suppressInSlices, suppressNonMaxima } from '../../../src/faces/object-detection/non-maximum-suppression.ts';
import { float32 } from '../../../src/tensor/tensor.ts';
import { finish, type SlicedWork } from '../../../src/timing/sliced-work.ts';

/** How often others may go on. */
function pausesOf(work: SlicedWork<unknown>): number {
  let pauses = 0;
  while (work.next().done !== true) pauses += 1;
  return pauses;
}

/** Numbers that are the same in every run of the test. */
function scattered(count: number, seed = 1): number[] {
  let state = seed;
  return Array.from({ length: count }, () => {
    state = (state * 1_103_515_245 + 12_345) % 2 ** 31;
    return state / 2 ** 31;
  });
}

/** Boxes in a row that do not touch. */
function candidatesOf(scores: readonly number[]) {
  return {
    boxes: Float32Array.from(scores.flatMap((_, at) => [at * 2, 0, at * 2 + 1, 1])),
    scores: Float64Array.from(scores),
    classes: new Int32Array(scores.length),
  };
}

describe('candidates by their scores', () => {
  it('are ordered as a stable sort does, however many they are', () => {
    const counts = fc.constantFrom(0, 1, 8191, 8192, 8193, 20_000, 40_000);
    fc.assert(
      fc.property(
        counts,
        fc.integer({ min: 1, max: 1000 }),
        fc.integer({ min: 1, max: 50_000 }),
        (count, seed, steps) => {
          const scores = scattered(count, seed).map((score) => Math.floor(score * steps) / steps);
          const expected = scores
            .map((score, at) => ({ score, at }))
            .sort((a, b) => b.score - a.score)
            .map(({ at }) => at);
          expect(Buffer.from(finish(byScore(candidatesOf(scores))).buffer)).toEqual(
            Buffer.from(Int32Array.from(expected).buffer),
          );
        },
      ),
      { numRuns: 20 },
    );
  });

  it('let others go on while they are ordered', () => {
    expect(pausesOf(byScore(candidatesOf(scattered(40_000))))).toBeGreaterThan(10);
  });
});

describe('the suppression of many boxes', () => {
  it('lets others go on between comparisons, and keeps what it keeps in one go', () => {
    const candidates = candidatesOf(scattered(40_000));
    const options = { iou: 0.5, agnostic: false, most: 300 };
    expect(finish(suppressInSlices(candidates, options))).toEqual(suppressNonMaxima(candidates, options));
    // Each of 3,000 boxes is compared with all that are kept before it.
    const many = { ...options, most: 3000 };
    const sorting = pausesOf(byScore(candidates));
    expect(pausesOf(suppressInSlices(candidates, many)) - sorting).toBeGreaterThanOrEqual(40);
  });

  it('lets others go on while boxes are read', () => {
    const [boxes, classes] = [40_000, 20];
    const output0 = float32([1, 4 + classes, boxes], new Float32Array((4 + classes) * boxes));
    const size = { width: 32, height: 32 };
    const taken = { left: 0, top: 0, ...size };
    const frame = { shown: size, resized: size, taken, fill: 0, canvas: size, gain: { x: 1, y: 1 } };
    const options = { threshold: 0.5, topK: 300, nms: { iou: 0.7, agnostic: false }, labels: [] };
    const work = detectInSlices({ output0 }, [frame], {
      layout: 'yolov8',
      outputs: { boxes: 'output0' },
      ...options,
    });
    expect(pausesOf(work)).toBeGreaterThan(3);
  });
});
