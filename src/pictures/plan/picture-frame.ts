import { pictureTooLarge } from '../picture-limits.ts';
import type { Size } from '../raster.ts';
import { roundHalfEven } from '../round-half-even.ts';
import type { PicturePlan } from './picture-plan.ts';
import { letterboxGain, resizedSize } from './resized-size.ts';

/** A rectangle of whole pixels. */
export interface Region extends Size {
  readonly left: number;
  readonly top: number;
}

/** Where the pixels of a picture lie in the input of a model. */
export interface PictureFrame {
  /** The picture as it is shown, after its EXIF orientation. */
  readonly shown: Size;
  readonly resized: Size;
  /** What is taken of the resized picture; it may reach beyond its edges, where pixels have the level `fill`. */
  readonly taken: Region;
  /** Level before normalising. */
  readonly fill: number;
  /** The tensor's height and width: what is taken lies top left, the rest is zero after normalising. */
  readonly canvas: Size;
  /** Pixels of the resized picture for one of the picture as it is shown. */
  readonly gain: { readonly x: number; readonly y: number };
}

/** More pixels of a tensor than this, 200 MB, no model is given. */
const maxCanvasPixels = 16_777_216;

/**
 * Where the pixels of a picture of this size come to lie.
 *
 * @throws AppError `PICTURE_TOO_LARGE` when the tensor would have more than 16,777,216 pixels
 */
export function framePicture(plan: PicturePlan, shown: Size): PictureFrame {
  const { resize, crop, pad } = plan;
  const resized = resize === undefined ? shown : resizedSize(resize, shown);
  const gain = { x: resized.width / shown.width, y: resized.height / shown.height };
  let taken: Region = { left: 0, top: 0, ...resized };
  let fill = 0;
  if (resize !== undefined && 'letterbox' in resize) {
    const [height, width] = resize.letterbox;
    const isCentred = resize.align === 'center';
    const before = (free: number) => (isCentred ? roundHalfEven(free / 2 - 0.1) : 0);
    const left = 0 - before(width - resized.width);
    const top = 0 - before(height - resized.height);
    // Not the quotient of the sizes, whose rounding would move boxes by up to half a pixel.
    gain.x = gain.y = letterboxGain(resize.letterbox, shown);
    taken = { left, top, height, width };
    fill = resize.fill;
  }
  if (crop !== undefined) taken = cropped(taken, crop, plan.cropOffset);
  const canvas = {
    width: Math.max(taken.width, pad?.[1] ?? 0),
    height: Math.max(taken.height, pad?.[0] ?? 0),
  };
  if (canvas.width * canvas.height > maxCanvasPixels) {
    throw pictureTooLarge(
      `The picture of ${shown.width} x ${shown.height} pixels would become one of ${canvas.width} x ${canvas.height}`,
      { received: canvas.width * canvas.height, expected: `at most ${maxCanvasPixels} pixels` },
    );
  }
  return { shown, resized, taken, fill, canvas, gain };
}

function cropped(from: Region, [height, width]: readonly [number, number], offset: PicturePlan['cropOffset']): Region {
  const round = offset === 'floor' ? Math.floor : roundHalfEven;
  return {
    left: from.left + round((from.width - width) / 2),
    top: from.top + round((from.height - height) / 2),
    width,
    height,
  };
}

/** The height and width of every tensor of the plan; undefined where they depend on the picture. */
export function fixedCanvas({ resize, crop, pad }: PicturePlan): Size | undefined {
  if (pad !== undefined) return { height: pad[0], width: pad[1] };
  if (crop !== undefined) return { height: crop[0], width: crop[1] };
  if (resize === undefined) return undefined;
  if ('letterbox' in resize) return { height: resize.letterbox[0], width: resize.letterbox[1] };
  return 'height' in resize ? { height: resize.height, width: resize.width } : undefined;
}
