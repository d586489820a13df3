import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { type DetectOptions, detect } from '../../../src/faces/object-detection/detect.ts';
import { Detections } from '../../../src/faces/object-detection/detection.ts';
import { type DetectionLayout, detectionLayouts } from '../../../src/faces/object-detection/layouts.ts';
import { framePicture } from '../../../src/pictures/plan/picture-frame.ts';
import { PicturePlan } from '../../../src/pictures/plan/picture-plan.ts';
import { float32, int64 } from '../../../src/tensor/tensor.ts';

const tensor = z.object({ shape: z.array(z.int()), data: z.array(z.number()) });
const box = z.object({ x_min: z.number(), y_min: z.number(), x_max: z.number(), y_max: z.number() });
/**
 * Boxes that detectors of digits gave for one picture, and what references in Python make of them: Ultralytics' formulas in
 * numpy, and the post-processing of RT-DETR.
 */
const digits = z
  .record(
    z.enum(detectionLayouts),
    z.object({
      shown: z.object({ width: z.int(), height: z.int() }),
      outputs: z.record(z.string(), tensor),
      expected: z.array(z.object({ label: z.string(), probability: z.number(), box })),
    }),
  )
  .parse({ detr: { shown: { width: 1, height: 1 }, outputs: {}, expected: [] }, ...readDigits() });

function readDigits(): object {
  return JSON.parse(readFileSync(join(import.meta.dirname, 'fixtures/digits.json'), 'utf8'));
}

const letterbox = PicturePlan.parse({ resize: { letterbox: [100, 100] } });
/** A picture of 200 x 100 pixels lies in the rows 25 to 75 of its letterbox, at half its size. */
const wide = framePicture(letterbox, { width: 200, height: 100 });

function options(layout: DetectionLayout, more: Partial<DetectOptions> = {}): DetectOptions {
  const outputs = layout.endsWith('detr') ? { boxes: 'pred_boxes', logits: 'logits' } : { boxes: 'output0' };
  const nms = { iou: 0.7, agnostic: false };
  return { layout, outputs, threshold: 0.25, topK: 300, nms, labels: ['cat', 'dog'], ...more };
}

describe.each(['yolov8', 'yolov5', 'yolov10', 'rt-detr'] as const)('the layout %s', (layout) => {
  const { shown, outputs, expected } = digits[layout];
  const resize = layout === 'rt-detr' ? { height: 160, width: 160 } : { letterbox: [160, 160] };
  const frame = framePicture(PicturePlan.parse({ resize }), shown);
  const tensors = Object.fromEntries(
    Object.entries(outputs).map(([name, { shape, data }]) => [name, float32(shape, data)]),
  );
  const labels = Array.from({ length: 10 }, (_, digit) => String(digit));
  const threshold = layout === 'rt-detr' ? 0.5 : 0.25;

  it('gives the objects that the reference gives', () => {
    const [found] = detect(tensors, [frame], options(layout, { labels, threshold }));
    expect(found).toMatchObject(shown);
    expect(expected.length).toBeGreaterThan(1);
    expect(found?.detections.map(({ label }) => label)).toEqual(expected.map(({ label }) => label));
    for (const [index, wanted] of expected.entries()) {
      const detection = found?.detections[index];
      expect(detection?.probability).toBeCloseTo(wanted.probability, 6);
      const edges = Object.entries(detection?.box ?? {});
      for (const [side, edge] of edges) {
        const most = side.startsWith('x') ? shown.width : shown.height;
        const cut = Math.min(Math.max(wanted.box[side as keyof typeof wanted.box], 0), most);
        expect(Math.abs(edge - cut)).toBeLessThan(0.001);
      }
    }
    expect(Detections.parse(found)).toEqual(found);
  });

  it('keeps the most probable ones, and none above a threshold of 1', () => {
    const [few] = detect(tensors, [frame], options(layout, { labels, threshold, topK: 1 }));
    expect(few?.detections.map(({ label }) => label)).toEqual([expected[0]?.label]);
    expect(detect(tensors, [frame], options(layout, { labels, threshold: 1 }))[0]?.detections).toEqual([]);
  });
});

describe('the layout detr', () => {
  it('leaves the class for no object out, and takes parts of the picture', () => {
    const logits = float32([1, 2, 3], [Math.log(6), Math.log(2), Math.log(2), 0, 0, 9]);
    const boxes = float32([1, 2, 4], [0.5, 0.5, 0.5, 0.2, 0.5, 0.5, 1, 1]);
    const frame = framePicture(PicturePlan.parse({ resize: { shortest: 50 }, pad: [300, 300] }), wide.shown);
    const [found] = detect({ logits, pred_boxes: boxes }, [frame], options('detr', { threshold: 0.1 }));
    expect(found?.detections).toEqual([
      {
        label: 'cat',
        index: 0,
        probability: expect.closeTo(0.6, 6),
        box: {
          x_min: 50,
          y_min: expect.closeTo(40, 4),
          x_max: 150,
          y_max: expect.closeTo(60, 4),
        },
      },
    ]);
  });
});

describe('detect', () => {
  /** Boxes `[x min, y min, x max, y max, score, class]` as a model with its own suppression gives them. */
  const suppressed = (...rows: number[][]) => ({ output0: float32([1, rows.length, 6], rows.flat()) });

  it('puts boxes into the picture as it is shown, cut at its edges', () => {
    const [found] = detect(suppressed([10, 20, 60, 80, 0.5, 1]), [wide], options('yolov10'));
    expect(found).toEqual({
      width: 200,
      height: 100,
      detections: [{ label: 'dog', index: 1, probability: 0.5, box: { x_min: 20, y_min: 0, x_max: 120, y_max: 100 } }],
    });
  });

  it('orders by probability, equal ones as they come, and calls a class without a name by its index', () => {
    const rows = [
      [1, 30, 2, 40, 0.5, 7],
      [2, 30, 3, 40, 0.75, 0],
      [3, 30, 4, 40, 0.5, 1],
    ];
    const [found] = detect(suppressed(...rows), [wide], options('yolov10'));
    expect(found?.detections.map(({ label }) => label)).toEqual(['cat', '7', 'dog']);
  });

  it('takes what exceeds the threshold, and no box that is no number', () => {
    const rows = [
      [1, 30, 2, 40, 0.25, 0],
      [Number.NaN, 30, 2, 40, 0.5, 0],
      [1, 30, 2, 40, Number.NaN, 0],
    ];
    expect(detect(suppressed(...rows), [wide], options('yolov10'))[0]?.detections).toEqual([]);
  });

  it('reads each row of a batch with the frame of its picture', () => {
    const output0 = float32([2, 1, 6], [10, 30, 20, 40, 0.5, 0, 10, 30, 20, 40, 0.5, 0]);
    const square = framePicture(letterbox, { width: 50, height: 50 });
    const boxes = detect({ output0 }, [wide, square], options('yolov10')).map(({ detections }) => detections[0]?.box);
    expect(boxes).toEqual([
      { x_min: 20, y_min: 10, x_max: 40, y_max: 30 },
      { x_min: 5, y_min: 15, x_max: 10, y_max: 20 },
    ]);
  });

  /** Boxes by middle and size with the scores of two classes, as columns. */
  const columns = (...boxes: [number, number, number, number, number, number][]) => ({
    output0: float32(
      [1, 6, boxes.length],
      [0, 1, 2, 3, 4, 5].flatMap((row) => boxes.map((each) => each[row] ?? 0)),
    ),
  });
  const labelsOf = (outputs: object, more: Partial<DetectOptions> = {}) =>
    detect({ ...outputs }, [wide], options('yolov8', more))[0]?.detections.map(({ label, box: { x_min } }) => [
      label,
      x_min,
    ]);

  it('drops boxes that overlap a better one of their class', () => {
    const outputs = columns([30, 50, 20, 20, 0.5, 0], [31, 50, 20, 20, 0.75, 0], [32, 50, 20, 20, 0, 0.625]);
    expect(labelsOf(outputs)).toEqual([
      ['cat', 42],
      ['dog', 44],
    ]);
    expect(labelsOf(outputs, { nms: { iou: 0.7, agnostic: true } })).toEqual([['cat', 42]]);
  });

  it('keeps boxes that overlap by no more than may be', () => {
    // Shared 10 x 20 of 30 x 20 that both cover.
    const outputs = columns([30, 50, 20, 20, 0.5, 0], [40, 50, 20, 20, 0.75, 0]);
    expect(labelsOf(outputs, { nms: { iou: 1 / 3, agnostic: false } })).toHaveLength(2);
    expect(labelsOf(outputs, { nms: { iou: 0.33, agnostic: false } })).toHaveLength(1);
  });

  it('compares boxes before they are cut', () => {
    const outputs = columns([-30, 50, 80, 20, 0.5, 0], [0, 50, 20, 20, 0.75, 0]);
    expect(labelsOf(outputs, { nms: { iou: 0.5, agnostic: false } })).toEqual([
      ['cat', 0],
      ['cat', 0],
    ]);
  });

  it('multiplies the class with the probability of an object', () => {
    const output0 = float32([1, 2, 7], [50, 50, 10, 10, 0.5, 0.75, 0.25, 50, 50, 10, 10, 0.5, 0.25, 0.375]);
    const [found] = detect({ output0 }, [wide], options('yolov5'));
    expect(found?.detections.map(({ label, probability }) => [label, probability])).toEqual([['cat', 0.375]]);
  });

  it('takes as many pairs of box and class as there are boxes from logits without a class for no object', () => {
    const logits = float32([1, 2, 2], [2, 1, 3, -1]);
    const boxes = float32([1, 2, 4], [0.25, 0.5, 0.1, 0.1, 0.75, 0.5, 0.1, 0.1]);
    const [found] = detect({ logits, pred_boxes: boxes }, [wide], options('rt-detr', { threshold: 0 }));
    expect(found?.detections.map(({ index, box: { x_min } }) => [index, Math.round(x_min)])).toEqual([
      [0, 140],
      [0, 40],
    ]);
  });

  it('refuses outputs that are missing or no floats', () => {
    const refusal = expect.objectContaining({ code: 'SIGNATURE_MISMATCH' });
    expect(() => detect({}, [wide], options('yolov8'))).toThrow(refusal);
    expect(() => detect({ output0: int64([1, 1, 1], [1]) }, [wide], options('yolov8'))).toThrow(refusal);
    expect(() => detect({ output0: float32([1, 6], [1, 2, 3, 4, 5, 6]) }, [wide], options('yolov10'))).toThrow(refusal);
  });
});
