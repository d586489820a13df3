import { defaultPictureLimits, lowerLimits, type PictureLimits } from './picture-limits.ts';
import type { PictureReader } from './picture-reader.ts';
import { framePicture, type PictureFrame } from './plan/picture-frame.ts';
import type { PictureFilter, PicturePlan } from './plan/picture-plan.ts';
import type { RgbRaster, Size } from './raster.ts';
import type { Pipeline } from './sharp.ts';
import type { Turn } from './turns.ts';

/** A picture that was decoded, and where its pixels are to lie. */
export interface DecodedPicture {
  /** Of the size as it is shown; of the resized size where the plan does not ask for exact pixels. */
  readonly raster: RgbRaster;
  readonly frame: PictureFrame;
}

/**
 * Decodes a picture to 8-bit RGB as Pillow's `convert("RGB")` does after `exif_transpose`: first frame, turned, 16 bits by
 * their high byte, grey and palette as RGB, alpha dropped. Two things differ: CMYK, which goes through a profile of
 * libvips', and the levels that lie under transparency in a GIF, which are black.
 *
 * @param limits those of the server; the plan may lower them
 * @throws what {@link PictureReader.read} and {@link framePicture} throw
 */
export async function decodePicture(
  reader: PictureReader,
  bytes: Uint8Array,
  plan: PicturePlan,
  turn: Turn,
  limits: PictureLimits = defaultPictureLimits,
): Promise<DecodedPicture> {
  let frame: PictureFrame | undefined;
  const raster = await reader.read(bytes, turn, {
    limits: lowerLimits(limits, definedLimits(plan)),
    ignoreIcc: plan.icc === 'ignore',
    prepare: async (picture) => {
      const { autoOrient } = await picture.metadata();
      frame = framePicture(plan, autoOrient);
      const opaque = withoutAlpha(picture.autoOrient(), plan.alpha);
      return (plan.exact ? opaque : nearlyResized(opaque, frame.resized, plan)).toColourspace('srgb');
    },
  });
  const { width, height, data } = raster;
  return { raster: { width, height, channels: 3, data }, frame: frame ?? framePicture(plan, { width, height }) };
}

function definedLimits({ limits }: PicturePlan): Partial<PictureLimits> {
  return Object.fromEntries(Object.entries(limits).filter(([, value]) => value !== undefined));
}

function withoutAlpha(picture: Pipeline, alpha: PicturePlan['alpha']): Pipeline {
  return alpha === 'drop' ? picture.removeAlpha() : picture.flatten({ background: alpha });
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

/** By libvips, which makes a JPEG smaller while it decodes it. */
function nearlyResized(picture: Pipeline, { width, height }: Size, { resize }: PicturePlan): Pipeline {
  if (resize === undefined) return picture;
  return picture.resize({ width, height, fit: 'fill', kernel: kernels[resize.filter] });
}
