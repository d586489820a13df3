import { gifTransparentColour } from './gif-transparency.ts';
import { sniffPictureFormat } from './picture-format.ts';
import { lowerLimits, type PictureLimits } from './picture-limits.ts';
import { framePicture, type PictureFrame } from './plan/picture-frame.ts';
import type { PictureFilter, PicturePlan } from './plan/picture-plan.ts';
import type { ColourRaster, RgbRaster, Size } from './raster.ts';
import type { ReadOptions } from './read-picture.ts';
import type { Pipeline } from './sharp.ts';

/** A picture that was decoded, and where its pixels are to lie. */
export interface DecodedPicture {
  /** Of the size as it is shown; of the resized size already where the plan does not ask for exact pixels. */
  readonly raster: RgbRaster;
  readonly frame: PictureFrame;
}

/** Reads a picture as the options say. */
export type ReadPicture = (bytes: Uint8Array, options: ReadOptions) => Promise<ColourRaster>;

/** What is done to a picture while it is decoded. */
export type DecodeSettings = Pick<PicturePlan, 'alpha' | 'icc' | 'limits'>;

/**
 * The pixels of a picture, as {@link decodePicture} has them before they are resized.
 *
 * @throws what reading throws
 */
export async function decodeRaster(
  read: ReadPicture,
  bytes: Uint8Array,
  { alpha, icc, limits: lower }: DecodeSettings,
  limits: PictureLimits,
): Promise<RgbRaster> {
  const { width, height, data } = await read(bytes, {
    limits: lowerLimits(limits, definedLimits(lower)),
    ignoreIcc: icc === 'ignore',
    prepare: (picture) => opaquePicture(picture, bytes, alpha),
  });
  return { width, height, channels: 3, data };
}

/**
 * Decodes a picture to 8-bit RGB as Pillow's `convert("RGB")` does after `exif_transpose`: first frame, turned, 16 bits by
 * their high byte, grey and palette as RGB, alpha dropped. CMYK differs, which goes through a profile of libvips'.
 *
 * @param limits those of the server; the plan may lower them
 * @throws what reading and {@link framePicture} throw
 */
export async function decodePicture(
  read: ReadPicture,
  bytes: Uint8Array,
  plan: PicturePlan,
  limits: PictureLimits,
): Promise<DecodedPicture> {
  let frame: PictureFrame | undefined;
  const { width, height, data } = await read(bytes, {
    limits: lowerLimits(limits, definedLimits(plan.limits)),
    ignoreIcc: plan.icc === 'ignore',
    prepare: async (picture) => {
      const opaque = opaquePicture(picture, bytes, plan.alpha);
      if (plan.exact) return opaque;
      frame = framePicture(plan, (await picture.metadata()).autoOrient);
      return nearlyResized(opaque, frame.resized, plan);
    },
  });
  const raster: RgbRaster = { width, height, channels: 3, data };
  return { raster, frame: frame ?? framePicture(plan, { width, height }) };
}

function definedLimits(limits: PicturePlan['limits']): Partial<PictureLimits> {
  return Object.fromEntries(Object.entries(limits).filter(([, value]) => value !== undefined));
}

/** Turned as it is shown, in RGB. */
function opaquePicture(picture: Pipeline, bytes: Uint8Array, alpha: PicturePlan['alpha']): Pipeline {
  return withoutAlpha(picture.autoOrient(), bytes, alpha).toColourspace('srgb');
}

function withoutAlpha(picture: Pipeline, bytes: Uint8Array, alpha: PicturePlan['alpha']): Pipeline {
  if (alpha !== 'drop') return picture.flatten({ background: alpha });
  // libvips makes what is transparent in a GIF black.
  const hidden = sniffPictureFormat(bytes) === 'gif' ? gifTransparentColour(bytes) : undefined;
  return hidden === undefined ? picture.removeAlpha() : picture.flatten({ background: hidden });
}

/** The kernel of libvips that is nearest to each filter. */
const kernels = {
  nearest: 'nearest',
  box: 'linear',
  bilinear: 'linear',
  hamming: 'linear',
  bicubic: 'cubic',
  lanczos: 'lanczos3',
  'cv-linear': 'linear',
} as const satisfies Record<PictureFilter, string>;

/** More pixels are not made to be cropped: such a long and thin picture is resized later, and exactly. */
const maxResizedPixels = 16_777_216;

/** By libvips, which makes a JPEG smaller while it decodes it. */
function nearlyResized(picture: Pipeline, { width, height }: Size, { resize }: PicturePlan): Pipeline {
  if (resize === undefined || width * height > maxResizedPixels) return picture;
  return picture.resize({ width, height, fit: 'fill', kernel: kernels[resize.filter] });
}
