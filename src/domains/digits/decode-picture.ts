import { defaultPictureLimits, type PictureLimits } from '../../pictures/picture-limits.ts';
import { PictureReader } from '../../pictures/picture-reader.ts';
import type { Turn } from '../../pictures/turns.ts';
import { type GreyRaster, toGreyRaster } from './grey-raster.ts';

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
  const reader = new PictureReader();
  return async (bytes, turn = { owner: {} }) => {
    const raster = await reader.read(bytes, turn, {
      limits,
      ignoreIcc: false,
      prepare: (picture) =>
        picture
          .autoOrient()
          .resize({ width: rasterSidePx, height: rasterSidePx, fit: 'inside', withoutEnlargement: true })
          .toColourspace('srgb'),
    });
    return toGreyRaster(raster);
  };
}
