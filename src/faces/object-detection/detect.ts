import { AppError } from '../../errors.ts';
import type { PictureFrame } from '../../pictures/plan/picture-frame.ts';
import { floatValues } from '../../tensor/float-values.ts';
import type { Tensor, Tensors } from '../../tensor/tensor.ts';
import { finish, type SlicedWork } from '../../timing/sliced-work.ts';
import { byScore, type Candidates } from './candidates.ts';
import type { Detection, Detections } from './detection.ts';
import type { DetectionLayout, DetectorOutputs } from './layouts.ts';
import { suppressInSlices } from './non-maximum-suppression.ts';
import { type DetectorRow, readCandidates } from './read-candidates.ts';

export interface DetectOptions {
  readonly layout: DetectionLayout;
  readonly outputs: DetectorOutputs;
  /** Probability that an object must exceed. */
  readonly threshold: number;
  /** Most objects of a picture. */
  readonly topK: number;
  /** Of `yolov8` and `yolov5`, which give many boxes for an object. */
  readonly nms: { readonly iou: number; readonly agnostic: boolean };
  /** Names of the classes by index; one without a name is called by its index. */
  readonly labels: readonly string[];
}

/**
 * The objects of each picture: boxes in pixels of the picture as it is shown, cut at its edges.
 *
 * @param frames where the pixels of each picture lie in the input, in the order of the rows
 * @throws AppError `SIGNATURE_MISMATCH` for outputs that are missing, or not floats of three dimensions
 */
export function detect(outputs: Tensors, frames: readonly PictureFrame[], options: DetectOptions): Detections[] {
  return finish(detectInSlices(outputs, frames, options));
}

/** As {@link detect}, with pauses where others may go on. */
export function* detectInSlices(
  outputs: Tensors,
  frames: readonly PictureFrame[],
  options: DetectOptions,
): SlicedWork<Detections[]> {
  const boxes = readOutput(outputs, options.outputs.boxes);
  const logits = options.outputs.logits === undefined ? undefined : readOutput(outputs, options.outputs.logits);
  const found: Detections[] = [];
  for (const [row, frame] of frames.entries()) {
    const candidates = yield* readCandidates(
      options.layout,
      { boxes: rowOf(boxes, row), logits: logits && rowOf(logits, row) },
      options.threshold,
    );
    const places = yield* chosen(candidates, options);
    const detections = places.map((at) => placed(candidates, at, frame, options));
    found.push({ detections, width: frame.shown.width, height: frame.shown.height });
  }
  return found;
}

type Output = DetectorRow['boxes'];

function readOutput(outputs: Tensors, name: string): Output {
  const tensor: Tensor | undefined = outputs[name];
  const [, first, second] = tensor?.shape ?? [];
  const values = tensor && floatValues(tensor);
  if (values === undefined || first === undefined || second === undefined || tensor?.shape.length !== 3) {
    throw new AppError('SIGNATURE_MISMATCH', {
      message: `The output ${name} is no tensor of floats with three dimensions`,
      received: tensor && { datatype: tensor.datatype, shape: tensor.shape },
      expected: 'FP32, FP64 or FP16 of three dimensions',
    });
  }
  return { values, dimensions: [first, second] };
}

function rowOf({ values, dimensions }: Output, row: number): Output {
  const length = dimensions[0] * dimensions[1];
  return { values: values.subarray(row * length, (row + 1) * length), dimensions };
}

/** Places of the candidates that are told, most probable first. */
function* chosen(candidates: Candidates, { layout, nms, topK }: DetectOptions): SlicedWork<readonly number[]> {
  if (layout === 'yolov8' || layout === 'yolov5') return yield* suppressInSlices(candidates, { ...nms, most: topK });
  return [...(yield* byScore(candidates)).subarray(0, topK)];
}

function placed(candidates: Candidates, at: number, frame: PictureFrame, options: DetectOptions): Detection {
  const index = candidates.classes[at] ?? 0;
  const isRelative = options.layout === 'detr' || options.layout === 'rt-detr';
  const { taken, gain, shown } = frame;
  const scale = isRelative ? taken : { width: 1, height: 1 };
  const edge = (side: number) => candidates.boxes[at * 4 + side] ?? 0;
  const x = (side: number) => within((edge(side) * scale.width + taken.left) / gain.x, shown.width);
  const y = (side: number) => within((edge(side) * scale.height + taken.top) / gain.y, shown.height);
  return {
    label: options.labels[index] ?? String(index),
    index,
    probability: Math.min(1, candidates.scores[at] ?? 0),
    box: { x_min: x(0), y_min: y(1), x_max: x(2), y_max: y(3) },
  };
}

function within(position: number, size: number): number {
  return Math.min(Math.max(position, 0), size);
}
