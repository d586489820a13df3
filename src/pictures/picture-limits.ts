import { AppError } from '../errors.ts';
import { pictureFormats, sniffPictureFormat } from './picture-format.ts';
import { readPictureHeader } from './picture-header.ts';

/** What one picture may take. */
export interface PictureLimits {
  readonly maxBytes: number;
  /** Width times height as the header says, before anything is decoded. */
  readonly maxPixels: number;
  /** The same for pictures that a decoder must hold whole, at up to 8 bytes a pixel: GIF, most WebP, JPEG of more than one scan, interlaced PNG. */
  readonly maxHeldPixels: number;
  /** Longest time to decode one picture, in whole seconds: sharp counts no finer. */
  readonly timeoutSeconds: number;
}

export const defaultPictureLimits: PictureLimits = {
  maxBytes: 20_000_000,
  maxPixels: 50_000_000,
  maxHeldPixels: 16_000_000,
  timeoutSeconds: 1,
};

/**
 * The lesser of each.
 *
 * @param lower limits that a model sets for itself
 */
export function lowerLimits(limits: PictureLimits, lower: Partial<PictureLimits>): PictureLimits {
  const lesser = (name: keyof PictureLimits) => Math.min(limits[name], lower[name] ?? limits[name]);
  return {
    maxBytes: lesser('maxBytes'),
    maxPixels: lesser('maxPixels'),
    maxHeldPixels: lesser('maxHeldPixels'),
    timeoutSeconds: lesser('timeoutSeconds'),
  };
}

/**
 * Checks a picture by its first bytes and its header, before a decoder sees it, and gives the limit of pixels that holds
 * for it.
 *
 * @throws {AppError} `UNSUPPORTED_MEDIA_TYPE` for what is no PNG, JPEG, WebP or GIF, whatever its name;
 * `PICTURE_TOO_LARGE` for too many bytes or pixels; `PICTURE_UNREADABLE` for a cut or broken header
 */
export function checkPicture(bytes: Uint8Array, limits: PictureLimits): number {
  const format = sniffPictureFormat(bytes);
  if (format === undefined) {
    throw new AppError('UNSUPPORTED_MEDIA_TYPE', {
      message: `The content is not a picture of an accepted format: ${pictureFormats.join(', ')}`,
      received: bytes.length === 0 ? 'no bytes' : 'content of another format',
      expected: pictureFormats,
    });
  }
  if (bytes.length > limits.maxBytes) {
    throw pictureTooLarge(`The picture has ${bytes.length} bytes`, {
      received: bytes.length,
      expected: `at most ${limits.maxBytes} bytes`,
    });
  }
  const header = readPictureHeader(bytes, format);
  if (header === undefined) throw pictureUnreadable(`The ${format} header is cut or broken`);
  const { width, height, heldWhole } = header;
  const pixelLimit = heldWhole ? Math.min(limits.maxHeldPixels, limits.maxPixels) : limits.maxPixels;
  if (width * height > pixelLimit) {
    throw pictureTooLarge(`The picture is ${width} x ${height} pixels`, {
      received: width * height,
      expected: `at most ${pixelLimit} pixels`,
    });
  }
  return pixelLimit;
}

export function pictureTooLarge(
  message: string,
  sides: { readonly received?: unknown; readonly expected: string; readonly cause?: unknown },
): AppError {
  const { received, expected, cause } = sides;
  return new AppError('PICTURE_TOO_LARGE', { message: `${message}; accepted: ${expected}`, received, expected, cause });
}

export function pictureUnreadable(message: string, cause?: unknown): AppError {
  return new AppError('PICTURE_UNREADABLE', { message, expected: 'a complete picture', cause });
}
