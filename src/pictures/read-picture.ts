import { AppError } from '../errors.ts';
import { checkPicture, type PictureLimits, pictureTooLarge, pictureUnreadable } from './picture-limits.ts';
import type { ColourRaster } from './raster.ts';
import type { OpenPicture, Pipeline } from './sharp.ts';

/** How one picture is read. */
export interface ReadOptions {
  readonly limits: PictureLimits;
  /** Whether its ICC profile is left alone; otherwise colours are converted to sRGB. */
  readonly ignoreIcc: boolean;
  /** Adds what is to be done to the picture; what it gives has 3 or 4 channels of 8 bits. */
  readonly prepare: (picture: Pipeline) => Pipeline | Promise<Pipeline>;
}

/**
 * Reads a PNG, JPEG, WebP or GIF (first frame) on a thread of libuv.
 *
 * @throws {AppError} `UNSUPPORTED_MEDIA_TYPE` for any other content, whatever its name; `PICTURE_TOO_LARGE` for too many
 * bytes or pixels, or too long a time; `PICTURE_UNREADABLE` for a cut or broken picture
 */
export async function readPicture(
  open: OpenPicture,
  bytes: Uint8Array,
  { limits, ignoreIcc, prepare }: ReadOptions,
): Promise<ColourRaster> {
  const pixelLimit = checkPicture(bytes, limits);
  // `failOn: 'error'` passes harmless junk, as browsers do, and refuses a picture with missing pixels.
  const picture = open(bytes, { failOn: 'error', limitInputPixels: pixelLimit, sequentialRead: true, ignoreIcc });
  try {
    const prepared = await prepare(picture);
    // Not `toUint8Array`: sharp 0.35.5 never frees what that has copied.
    const { data, info } = await prepared
      .raw({ depth: 'uchar' })
      .timeout({ seconds: limits.timeoutSeconds })
      .toBuffer({ resolveWithObject: true });
    return { width: info.width, height: info.height, channels: info.channels === 4 ? 4 : 3, data };
  } catch (error) {
    if (error instanceof AppError) throw error;
    throw explainFailure(error, pixelLimit, limits.timeoutSeconds);
  }
}

/** sharp gives its errors no codes, so its two limits are told by their messages. */
function explainFailure(error: unknown, pixelLimit: number, timeoutSeconds: number): AppError {
  const cause = error;
  const reason = error instanceof Error ? error.message : String(error);
  if (reason.includes('exceeds pixel limit')) {
    return pictureTooLarge('The picture has too many pixels', { expected: `at most ${pixelLimit} pixels`, cause });
  }
  if (reason.startsWith('timeout')) {
    return pictureTooLarge('The picture takes too long to decode', { expected: `at most ${timeoutSeconds} s`, cause });
  }
  return pictureUnreadable('The picture is cut or broken', cause);
}
