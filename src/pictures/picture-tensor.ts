import type { PictureFrame, Region } from './plan/picture-frame.ts';
import type { PicturePlan } from './plan/picture-plan.ts';
import type { Size } from './raster.ts';

/** Element types that pictures are given to models in. */
export const pictureDatatypes = ['FP32', 'FP16', 'UINT8'] as const;
export type PictureDatatype = (typeof pictureDatatypes)[number];

/** FP16 elements are their raw bits. */
export type PictureElements = Float32Array<ArrayBuffer> | Uint16Array<ArrayBuffer> | Uint8Array<ArrayBuffer>;

/** What is seen of the picture: the part of the region that is taken which lies on the resized picture. */
export function visibleRegion({ taken, resized }: Pick<PictureFrame, 'taken' | 'resized'>): Region {
  const left = Math.max(0, taken.left);
  const top = Math.max(0, taken.top);
  const width = Math.max(0, Math.min(taken.left + taken.width, resized.width) - left);
  const height = Math.max(0, Math.min(taken.top + taken.height, resized.height) - top);
  return { left, top, width, height };
}

/** What levels become, and where. */
export interface LevelPlan extends Pick<PicturePlan, 'color' | 'layout' | 'scale'> {
  readonly mean: readonly [number, number, number];
  readonly std: readonly [number, number, number];
}

/**
 * The tensor of one picture, without its batch dimension: `(x * scale - mean) / std`, where the product is rounded to FP32,
 * and then each step is one of FP32, as in Hugging Face's image processors with Pillow. FP16 is rounded from that.
 *
 * @param pixels those of {@link visibleRegion}
 */
export function pictureTensor(
  pixels: Uint8Array | Uint8ClampedArray,
  frame: PictureFrame,
  plan: LevelPlan,
  datatype: PictureDatatype,
): PictureElements {
  const tables = [0, 1, 2].map((channel) => levelTable(plan, channel, datatype));
  const { canvas, taken } = frame;
  const elements = makeElements(datatype, canvas.width * canvas.height * 3);
  const visible = visibleRegion(frame);
  const offset = { left: visible.left - taken.left, top: visible.top - taken.top };
  for (let channel = 0; channel < 3; channel++) {
    const place = plan.color === 'RGB' ? channel : 2 - channel;
    const layout = { canvas, ...(plan.layout === 'NCHW' ? planeOf(place, canvas) : { begin: place, step: 3 }) };
    const table = tables[channel] ?? elements;
    const isFilled = visible.width < taken.width || visible.height < taken.height;
    if (isFilled) fillLevel(elements, layout, taken, table[frame.fill] ?? 0);
    copyLevels({ pixels, channel, visible }, elements, { ...layout, offset }, table);
  }
  return elements;
}

interface ChannelLayout {
  readonly canvas: Size;
  /** Index of the channel's first element, and how far the next of its row is. */
  readonly begin: number;
  readonly step: number;
}

function planeOf(channel: number, { width, height }: Size): { begin: number; step: number } {
  return { begin: channel * width * height, step: 1 };
}

function copyLevels(
  { pixels, channel, visible }: { pixels: Uint8Array | Uint8ClampedArray; channel: number; visible: Region },
  elements: PictureElements,
  { canvas, begin, step, offset }: ChannelLayout & { readonly offset: { left: number; top: number } },
  table: PictureElements,
): void {
  let at = channel;
  for (let row = 0; row < visible.height; row++) {
    let to = begin + ((offset.top + row) * canvas.width + offset.left) * step;
    for (let column = 0; column < visible.width; column++) {
      elements[to] = table[pixels[at] ?? 0] ?? 0;
      to += step;
      at += 3;
    }
  }
}

function fillLevel(elements: PictureElements, layout: ChannelLayout, { width, height }: Size, value: number): void {
  const { canvas, begin, step } = layout;
  for (let row = 0; row < height; row++) {
    let to = begin + row * canvas.width * step;
    for (let column = 0; column < width; column++) {
      elements[to] = value;
      to += step;
    }
  }
}

/** What each of the 256 levels of a channel becomes. */
function levelTable({ scale, mean, std }: LevelPlan, channel: number, datatype: PictureDatatype): PictureElements {
  const subtracted = Math.fround(mean[channel] ?? 0);
  const divisor = Math.fround(std[channel] ?? 1);
  const values = Float32Array.from({ length: 256 }, (_, level) =>
    Math.fround(Math.fround(Math.fround(level * scale) - subtracted) / divisor),
  );
  if (datatype === 'FP32') return values;
  return datatype === 'FP16' ? new Uint16Array(Float16Array.from(values).buffer) : Uint8Array.from(values);
}

function makeElements(datatype: PictureDatatype, length: number): PictureElements {
  if (datatype === 'FP32') return new Float32Array(length);
  return datatype === 'FP16' ? new Uint16Array(length) : new Uint8Array(length);
}
