import type { TensorSpec } from '../../tensor/tensor.ts';

export const detectionLayouts = ['yolov8', 'yolov5', 'yolov10', 'detr', 'rt-detr'] as const;
/**
 * In which form a detector gives boxes and classes:
 *
 * - `yolov8`: `[batch, 4 + classes, boxes]`, middle and size in pixels of the input
 * - `yolov5`: `[batch, boxes, 5 + classes]`, the same with a probability that there is an object
 * - `yolov10`: `[batch, boxes, 6]`, edges in pixels of the input, probability, class; nothing is left to suppress
 * - `detr`: logits `[batch, boxes, classes + 1]`, the last for no object, and boxes, middle and size in parts of the picture
 * - `rt-detr`: the same with logits `[batch, boxes, classes]`, each a probability of its own
 */
export type DetectionLayout = (typeof detectionLayouts)[number];

/** What is known of a detector. */
export interface DetectorFacts {
  /** Shapes that were seen in a run tell more than those of a signature, which may be free. */
  readonly outputs: readonly TensorSpec[];
  /** That of the ONNX file. */
  readonly metadata: Readonly<Record<string, string>>;
  /** `model_type` of a `config.json`. */
  readonly modelType?: string | undefined;
  /** How many classes there are names for. */
  readonly classes?: number | undefined;
}

/** Which outputs of a model a layout reads. */
export interface DetectorOutputs {
  readonly boxes: string;
  /** The other output of `detr` and `rt-detr`. */
  readonly logits?: string;
}

const softmaxTypes = new Set(['detr', 'yolos', 'table-transformer']);
const sigmoidTypes = /^(rt_detr|d_fine|deformable_detr|rf[-_]detr|conditional_detr)/;

/** More boxes no model gives that has suppressed the others itself. */
const mostSuppressedBoxes = 1000;

/** The layouts that fit: one when it is certain, several when more must be said, none for what is no such detector. */
export function fittingLayouts(facts: DetectorFacts): DetectionLayout[] {
  const { outputs, metadata } = facts;
  const task = metadata['task'];
  if (task !== undefined && task !== 'detect') return [];
  // Its export by Ultralytics has boxes in parts of the picture, and with two classes the shape of another layout.
  if (/rt-?detr/i.test(metadata['description'] ?? '')) return [];
  const logits = outputs.find(({ name }) => name === 'logits');
  const boxes = outputs.find(({ name }) => name === 'pred_boxes');
  if (logits !== undefined && boxes !== undefined) return fittingPair(facts, logits, boxes);
  const single = singleOutput(outputs);
  return single === undefined ? [] : fittingSingle(facts, single);
}

/** The outputs that a layout reads; undefined when the model has none that fits. */
export function detectorOutputs(layout: DetectionLayout, outputs: readonly TensorSpec[]): DetectorOutputs | undefined {
  if (layout === 'detr' || layout === 'rt-detr') {
    const names = outputs.map(({ name }) => name);
    return names.includes('logits') && names.includes('pred_boxes')
      ? { boxes: 'pred_boxes', logits: 'logits' }
      : undefined;
  }
  const single = singleOutput(outputs);
  return single && { boxes: single.name };
}

/** How many classes a layout finds in the shapes of the outputs; undefined where a dimension is free, or says nothing. */
export function classesOf(layout: DetectionLayout, outputs: readonly TensorSpec[]): number | undefined {
  const names = detectorOutputs(layout, outputs);
  const { shape = [] } = outputs.find(({ name }) => name === (names?.logits ?? names?.boxes)) ?? {};
  const [, second, last] = shape.map((dimension) => (dimension > 0 ? dimension : undefined));
  switch (layout) {
    case 'yolov8':
      return second && second - 4;
    case 'yolov5':
      return last && last - 5;
    case 'yolov10':
      return undefined;
    case 'detr':
      return last && last - 1;
    case 'rt-detr':
      return last;
  }
}

function fittingPair(
  { modelType, classes }: DetectorFacts,
  { shape: logits }: TensorSpec,
  { shape: boxes }: TensorSpec,
): DetectionLayout[] {
  if (logits.length !== 3 || boxes.length !== 3 || !isSize(boxes[2], 4)) return [];
  if (modelType !== undefined && softmaxTypes.has(modelType)) return ['detr'];
  if (modelType !== undefined && sigmoidTypes.test(modelType)) return ['rt-detr'];
  if (classes === undefined) return ['detr', 'rt-detr'];
  const fits: DetectionLayout[] = [];
  if (isSize(logits[2], classes + 1)) fits.push('detr');
  if (isSize(logits[2], classes)) fits.push('rt-detr');
  return fits;
}

/** The one output of three dimensions. Beside it there may be feature maps of five, as YOLOv5 exports them. */
function singleOutput(outputs: readonly TensorSpec[]): TensorSpec | undefined {
  const [single, ...others] = outputs.filter(({ shape }) => shape.length !== 5);
  return others.length === 0 && single?.shape.length === 3 ? single : undefined;
}

function fittingSingle({ metadata, classes }: DetectorFacts, { shape }: TensorSpec): DetectionLayout[] {
  const [, second = -1, last = -1] = shape;
  const fits: DetectionLayout[] = [];
  if (isSize(last, 6) && second <= mostSuppressedBoxes) fits.push('yolov10');
  const isFirstClasses = classes === undefined ? second < 0 || second > 4 : isSize(second, classes + 4);
  if (isFirstClasses && last !== 6 && (last < 0 || last > second)) fits.push('yolov8');
  const isLastClasses = classes === undefined ? last < 0 || last > 5 : isSize(last, classes + 5);
  if (isLastClasses && (second < 0 || second > last)) fits.push('yolov5');
  const told = toldByMetadata(metadata, last);
  return told === undefined ? fits : fits.filter((layout) => layout === told);
}

/** What the exporter says, and what it gives if it says nothing of its layout. */
function toldByMetadata(metadata: DetectorFacts['metadata'], last: number): DetectionLayout | undefined {
  if (isTrue(metadata['end2end']) || isTrue(metadata['nms'])) return 'yolov10';
  // Ultralytics names the task, and gives no probability that there is an object.
  if (metadata['task'] !== undefined) return last === 6 ? 'yolov10' : 'yolov8';
  return metadata['stride'] !== undefined && metadata['names'] !== undefined ? 'yolov5' : undefined;
}

/** A free dimension may have any size. */
function isSize(dimension: number | undefined, size: number): boolean {
  return dimension === size || dimension === -1;
}

/** As Python writes it. */
function isTrue(text: string | undefined): boolean {
  return text?.toLowerCase() === 'true';
}
