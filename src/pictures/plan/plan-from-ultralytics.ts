import { inputFaults, type PictureInput, readPictureShape } from './picture-input.ts';
import { PicturePlan } from './picture-plan.ts';
import type { Planned } from './planned.ts';

const scale = 1 / 255;

/**
 * The plan of a model that Ultralytics, or YOLOv5 before it, exported: a letterbox for detection, the shortest edge and a
 * crop of the middle for classification.
 *
 * @param metadata of the ONNX file: `task` (none is detection), `imgsz`, which counts where the model leaves its size free
 */
export function planFromUltralytics(metadata: Readonly<Record<string, string>>, input: PictureInput): Planned {
  const shape = readPictureShape(input.shape);
  const [imageHeight, imageWidth] = readImageSize(metadata['imgsz']);
  const height = shape?.height ?? imageHeight;
  const width = shape?.width ?? imageWidth;
  if (height === undefined || width === undefined) {
    return { faults: [`the input ${input.name} leaves its size free, and the metadata has no imgsz`] };
  }
  const resize =
    metadata['task'] === 'classify'
      ? { resize: { shortest: Math.min(height, width) }, crop: [height, width], cropOffset: 'half-even' }
      : { resize: { letterbox: [height, width] } };
  const plan = PicturePlan.safeParse({ layout: shape?.layout, scale, ...resize });
  if (!plan.success) {
    return { faults: plan.error.issues.map(({ path, message }) => `metadata: ${path.join('.')}: ${message}`) };
  }
  const faults = inputFaults(plan.data, input);
  return faults.length > 0 ? { faults } : { plan: plan.data };
}

/** `[640, 480]`, or `640` for both. */
function readImageSize(text: string | undefined): [height: number | undefined, width: number | undefined] {
  const [height, width = height] = (text?.match(/\d+/g) ?? []).map(Number);
  return [height, width];
}
