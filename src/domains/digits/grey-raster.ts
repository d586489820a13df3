import type { ColourRaster } from '../../pictures/raster.ts';

/** An 8-bit grey picture, row by row from the top left. */
export interface GreyRaster {
  readonly width: number;
  readonly height: number;
  readonly data: Uint8Array;
}

/** A colour channel replaces luminance only where it shows the strokes much better: alone it is noisier. */
const channelAdvantage = 2;

/**
 * Turns colour into grey so that strokes stay visible: yellow on white differs in blue alone, hardly in luminance.
 * Transparent parts get a background that contrasts with what is drawn.
 */
export function toGreyRaster(picture: ColourRaster): GreyRaster {
  const opaque = picture.channels === 4 ? overBackground(picture) : picture.data;
  const { width, height, channels } = picture;
  const luminance = luminanceOf(opaque, channels);
  if (isGrey(opaque, channels)) return { width, height, data: luminance };
  let best = luminance;
  let bestContrast = contrastOf(luminance) * channelAdvantage;
  for (let channel = 0; channel < 3; channel++) {
    const plane = planeOf(opaque, channels, channel);
    const contrast = contrastOf(plane);
    if (contrast <= bestContrast) continue;
    best = plane;
    bestContrast = contrast;
  }
  return { width, height, data: best };
}

/** Whether the channels are all alike, so that none shows more than the others. */
function isGrey(data: Uint8Array, channels: number): boolean {
  for (let at = 0; at < data.length; at += channels) {
    if (data[at] !== data[at + 1] || data[at] !== data[at + 2]) return false;
  }
  return true;
}

/**
 * Lays the picture over a plain background. Strokes drawn on nothing get black or white, whichever they differ from
 * more; a picture that is mostly opaque has transparent holes, which get its own usual grey.
 */
function overBackground({ data, channels }: ColourRaster): Uint8Array {
  const luminance = luminanceOf(data, channels);
  const histogram = new Float64Array(256);
  let visible = 0;
  for (let pixel = 0; pixel < luminance.length; pixel++) {
    const alpha = data[pixel * channels + 3] ?? 0;
    histogram[luminance[pixel] ?? 0] = (histogram[luminance[pixel] ?? 0] ?? 0) + alpha;
    visible += alpha;
  }
  const usual = medianLevel(histogram, visible);
  const contrasting = usual > 127 ? 0 : 255;
  const background = visible * 2 > luminance.length * 255 ? usual : contrasting;

  const composed = new Uint8Array(data.length);
  for (let index = 0; index < data.length; index++) {
    const alpha = data[index - (index % channels) + 3] ?? 0;
    composed[index] = Math.floor(((data[index] ?? 0) * alpha + background * (255 - alpha) + 127) / 255);
  }
  return composed;
}

/** The least level that half of the total weight does not exceed. */
function medianLevel(histogram: Float64Array, total: number): number {
  let sum = 0;
  for (let level = 0; level < 256; level++) {
    sum += histogram[level] ?? 0;
    if (sum * 2 >= total) return level;
  }
  return 255;
}

/** Luma of ITU-R BT.601: 77, 150 and 29 parts of 256. */
function luminanceOf(data: Uint8Array, channels: number): Uint8Array {
  const luminance = new Uint8Array(data.length / channels);
  for (let pixel = 0, at = 0; pixel < luminance.length; pixel++, at += channels) {
    luminance[pixel] = (77 * (data[at] ?? 0) + 150 * (data[at + 1] ?? 0) + 29 * (data[at + 2] ?? 0) + 128) >> 8;
  }
  return luminance;
}

function planeOf(data: Uint8Array, channels: number, channel: number): Uint8Array {
  const plane = new Uint8Array(data.length / channels);
  for (let pixel = 0, at = channel; pixel < plane.length; pixel++, at += channels) plane[pixel] = data[at] ?? 0;
  return plane;
}

/** Variance times the square of the number of pixels: an integer, so that the comparison is exact. */
function contrastOf(plane: Uint8Array): number {
  let sum = 0;
  let squares = 0;
  for (let i = 0; i < plane.length; i++) {
    const value = plane[i] ?? 0;
    sum += value;
    squares += value * value;
  }
  return plane.length * squares - sum * sum;
}
