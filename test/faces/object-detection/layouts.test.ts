import { describe, expect, it } from 'vitest';
import {
  classesOf,
  type DetectorFacts,
  detectorOutputs,
  fittingLayouts,
} from '../../../src/faces/object-detection/layouts.ts';

const output = (shape: number[], name = 'output0') => ({ name, datatype: 'FP32' as const, shape });
const pair = (logits: number, boxes = 4) => [
  output([-1, 300, logits], 'logits'),
  output([-1, 300, boxes], 'pred_boxes'),
];
const fits = (outputs: DetectorFacts['outputs'], facts: Partial<DetectorFacts> = {}) =>
  fittingLayouts({ outputs, metadata: {}, ...facts });
const ultralytics = { stride: '32', task: 'detect', names: "{0: 'person'}" };

describe('fittingLayouts', () => {
  it.each<[string, DetectorFacts['outputs'], Partial<DetectorFacts>, string[]]>([
    ['YOLOv8 by its classes', [output([1, 84, 8400])], { classes: 80 }, ['yolov8']],
    ['YOLOv8 by its shape', [output([1, 84, 8400])], {}, ['yolov8']],
    [
      'YOLOv8 of free sizes by its metadata',
      [output([-1, -1, -1])],
      { metadata: ultralytics, classes: 80 },
      ['yolov8'],
    ],
    ['YOLOv5 by its classes', [output([1, 25200, 85])], { classes: 80 }, ['yolov5']],
    ['YOLOv5 by its shape', [output([1, 25200, 85])], {}, ['yolov5']],
    ['YOLOv5 with its feature maps', [output([1, 25200, 85]), output([1, 3, 80, 80, 85], 'p3')], {}, ['yolov5']],
    [
      'YOLOv5 of free sizes by its metadata',
      [output([-1, -1, -1])],
      { metadata: { stride: '32', names: '[]' } },
      ['yolov5'],
    ],
    ['YOLOv10', [output([-1, 300, 6])], { metadata: ultralytics }, ['yolov10']],
    ['a model with its own suppression', [output([1, -1, 6])], { metadata: { nms: 'True' } }, ['yolov10']],
    [
      'an end-to-end model of one class',
      [output([1, 300, 6])],
      { metadata: { end2end: 'True' }, classes: 1 },
      ['yolov10'],
    ],
    ['one class, and nothing else known', [output([1, 300, 6])], { classes: 1 }, ['yolov10', 'yolov5']],
    ['free sizes, and nothing else known', [output([-1, -1, -1])], {}, ['yolov10', 'yolov8', 'yolov5']],
    ['a wrong number of classes', [output([1, 84, 8400])], { classes: 12 }, []],
    ['masks beside boxes', [output([1, 116, 8400]), output([1, 32, 160, 160], 'output1')], {}, []],
    [
      'RT-DETR as Ultralytics exports it',
      [output([1, 300, 6])],
      { metadata: { ...ultralytics, description: 'Ultralytics rtdetr-l model' } },
      [],
    ],
    ['another task', [output([1, 56, 8400])], { metadata: { task: 'pose' } }, []],
    ['DETR by its type', pair(92), { modelType: 'detr' }, ['detr']],
    ['RT-DETR by its type', pair(80), { modelType: 'rt_detr_v2' }, ['rt-detr']],
    ['conditional DETR, which has no class for no object', pair(91), { modelType: 'conditional_detr' }, ['rt-detr']],
    ['DETR by its classes', pair(92), { classes: 91 }, ['detr']],
    ['RT-DETR by its classes', pair(80), { classes: 80 }, ['rt-detr']],
    ['either, when neither is known', pair(80), {}, ['detr', 'rt-detr']],
    ['key points instead of boxes', pair(80, 34), {}, []],
    ['a classifier', [output([1, 1000])], {}, []],
  ])('%s', (_, outputs, facts, expected) => {
    expect(fits(outputs, facts)).toEqual(expected);
  });
});

describe('what a layout reads', () => {
  it('is one output, or two', () => {
    expect(detectorOutputs('yolov8', [output([1, 84, 8400])])).toEqual({ boxes: 'output0' });
    expect(detectorOutputs('detr', pair(92))).toEqual({ boxes: 'pred_boxes', logits: 'logits' });
    expect(detectorOutputs('detr', [output([1, 84, 8400])])).toBeUndefined();
    expect(detectorOutputs('yolov8', pair(92))).toBeUndefined();
  });

  it('says how many classes there are, where its shape does', () => {
    expect(classesOf('yolov8', [output([1, 84, 8400])])).toBe(80);
    expect(classesOf('yolov5', [output([1, 25200, 85])])).toBe(80);
    expect(classesOf('yolov10', [output([1, 300, 6])])).toBeUndefined();
    expect(classesOf('detr', pair(92))).toBe(91);
    expect(classesOf('rt-detr', pair(80))).toBe(80);
    expect(classesOf('yolov8', [output([-1, -1, -1])])).toBeUndefined();
  });
});
