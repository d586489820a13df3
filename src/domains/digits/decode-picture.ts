import type { Sharp, SharpOptions } from 'sharp';
import { AppError } from '../../errors.ts';
import { type GreyRaster, toGreyRaster } from './grey-raster.ts';
import { pictureFormats, sniffPictureFormat } from './picture-format.ts';
import { readPictureHeader } from './picture-header.ts';
import { type Turn, Turns } from './turns.ts';

export interface PictureLimits {
  readonly maxBytes: number;
  /** Width times height as the header says, before anything is decoded. */
  readonly maxPixels: number;
  /** The same for pictures that a decoder must hold whole, at up to 8 bytes a pixel: GIF, most WebP, JPEG of more than one scan, interlaced PNG. */
  readonly maxHeldPixels: number;
  /** Longest time to decode one picture, in whole seconds: sharp counts no finer. */
  readonly timeoutSeconds: number;
  /** Pictures decoded at the same time; the others wait their turn, so memory stays bounded. Requests take turns. */
  readonly maxConcurrent: number;
}

export const defaultPictureLimits: PictureLimits = {
  maxBytes: 20_000_000,
  maxPixels: 50_000_000,
  maxHeldPixels: 16_000_000,
  timeoutSeconds: 1,
  maxConcurrent: 2,
};

/** A digit needs 20 pixels: one that fills a twelfth of the picture's side still has them. More costs time on the event loop. */
const rasterSidePx = 256;

/**
 * Decodes PNG, JPEG, WebP and GIF (first frame) to grey, turned as its EXIF orientation says and at most 256 pixels
 * a side.
 *
 * @throws {AppError} `UNSUPPORTED_MEDIA_TYPE` for any other content, whatever its name; `PICTURE_TOO_LARGE` for too
 * many bytes or pixels, or too long a time; `PICTURE_UNREADABLE` for a cut or broken picture.
 *
 * @param turn whose picture it is, and until when it is wanted. @default a request of its own
 */
export type DecodePicture = (bytes: Uint8Array, turn?: Turn) => Promise<GreyRaster>;

/** Makes a decoder that keeps to `limits`. */
export function createPictureDecoder(limits: PictureLimits = defaultPictureLimits): DecodePicture {
  const turns = new Turns(limits.maxConcurrent);
  let loading: ReturnType<typeof loadSharp> | undefined;
  return async (bytes, turn = { owner: {} }) => {
    const pixelLimit = checkPicture(bytes, limits);
    loading ??= loadSharp();
    const sharp = await loading;
    return turns.take(turn, () => decode(sharp(bytes, sharpOptions(pixelLimit)), { ...limits, pixelLimit }));
  };
}

/** Returns the limit of pixels that holds for this picture. */
function checkPicture(bytes: Uint8Array, limits: PictureLimits): number {
  const format = sniffPictureFormat(bytes);
  if (format === undefined) {
    throw new AppError('UNSUPPORTED_MEDIA_TYPE', {
      message: `The content is not a picture of an accepted format: ${pictureFormats.join(', ')}`,
      received: bytes.length === 0 ? 'no bytes' : 'content of another format',
      expected: pictureFormats,
    });
  }
  if (bytes.length > limits.maxBytes) {
    throw tooLarge(`The picture has ${bytes.length} bytes`, bytes.length, `at most ${limits.maxBytes} bytes`);
  }
  const header = readPictureHeader(bytes, format);
  if (header === undefined) throw unreadable(`The ${format} header is cut or broken`);
  const { width, height, heldWhole } = header;
  const pixelLimit = heldWhole ? Math.min(limits.maxHeldPixels, limits.maxPixels) : limits.maxPixels;
  if (width * height > pixelLimit) {
    throw tooLarge(`The picture is ${width} x ${height} pixels`, width * height, `at most ${pixelLimit} pixels`);
  }
  return pixelLimit;
}

/**
 * Loads sharp with the first picture: it takes 15 MB, which is more than the 50 ms that the first picture waits for it.
 * No cache, and one thread a picture.
 */
async function loadSharp() {
  const { default: sharp } = await import('sharp');
  sharp.cache(false);
  sharp.concurrency(1);
  return sharp;
}

/** `failOn: 'error'` passes harmless junk, as browsers do, and refuses a picture with missing pixels. */
function sharpOptions(pixelLimit: number): SharpOptions {
  return { failOn: 'error', limitInputPixels: pixelLimit, sequentialRead: true };
}

interface DecodeLimits {
  readonly pixelLimit: number;
  readonly timeoutSeconds: number;
}

async function decode(picture: Sharp, { pixelLimit, timeoutSeconds }: DecodeLimits): Promise<GreyRaster> {
  try {
    const { data, info } = await picture
      .autoOrient()
      .resize({ width: rasterSidePx, height: rasterSidePx, fit: 'inside', withoutEnlargement: true })
      .toColourspace('srgb')
      .raw({ depth: 'uchar' })
      .timeout({ seconds: timeoutSeconds })
      .toBuffer({ resolveWithObject: true });
    return toGreyRaster({ width: info.width, height: info.height, channels: info.channels === 4 ? 4 : 3, data });
  } catch (error) {
    throw explainFailure(error, pixelLimit, timeoutSeconds);
  }
}

/** sharp gives its errors no codes, so its two limits are told by their messages. */
function explainFailure(error: unknown, pixelLimit: number, timeoutSeconds: number): AppError {
  const reason = error instanceof Error ? error.message : String(error);
  if (reason.includes('exceeds pixel limit')) {
    return tooLarge('The picture has too many pixels', undefined, `at most ${pixelLimit} pixels`, error);
  }
  if (reason.startsWith('timeout')) {
    return tooLarge('The picture takes too long to decode', undefined, `at most ${timeoutSeconds} s`, error);
  }
  return unreadable('The picture is cut or broken', error);
}

function tooLarge(message: string, received: unknown, expected: string, cause?: unknown): AppError {
  return new AppError('PICTURE_TOO_LARGE', { message: `${message}; accepted: ${expected}`, received, expected, cause });
}

function unreadable(message: string, cause?: unknown): AppError {
  return new AppError('PICTURE_UNREADABLE', { message, expected: 'a complete picture', cause });
}
