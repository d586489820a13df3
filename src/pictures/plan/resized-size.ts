import type { Size } from '../raster.ts';
import { roundHalfEven } from '../round-half-even.ts';
import type { PictureResize } from './picture-plan.ts';

/**
 * The size that a picture is given. No side is less than one pixel.
 *
 * Sources of the rules: `get_resize_output_image_size` and `get_size_with_aspect_ratio` of Hugging Face's image
 * processors, and `LetterBox` of Ultralytics.
 */
export function resizedSize(resize: PictureResize, shown: Size): Size {
  return atLeastOne(ruledSize(resize, shown));
}

function ruledSize(resize: PictureResize, shown: Size): Size {
  if ('shortest' in resize) return shortestEdge(resize, shown);
  if ('height' in resize) return { width: resize.width, height: resize.height };
  if ('letterbox' in resize) {
    const gain = letterboxGain(resize.letterbox, shown);
    return { width: roundHalfEven(shown.width * gain), height: roundHalfEven(shown.height * gain) };
  }
  if ('within' in resize) {
    const gain = letterboxGain(resize.within, shown);
    return { width: Math.floor(shown.width * gain), height: Math.floor(shown.height * gain) };
  }
  return multiplesOf(resize.divisor, shown);
}

/** How many pixels of a letterbox a pixel of the picture makes. */
export function letterboxGain([height, width]: readonly [number, number], shown: Size): number {
  return Math.min(height / shown.height, width / shown.width);
}

function shortestEdge(
  { shortest, longest, divisor = 1 }: Extract<PictureResize, { shortest: number }>,
  shown: Size,
): Size {
  const short = Math.min(shown.width, shown.height);
  const long = Math.max(shown.width, shown.height);
  let wanted = shortest;
  let precise = shortest;
  if (longest !== undefined && (long / short) * shortest > longest) {
    precise = (longest * short) / long;
    wanted = roundHalfEven(precise);
  }
  const other = wanted === short ? long : Math.floor((precise * long) / short);
  const sides = shown.width < shown.height ? { width: wanted, height: other } : { width: other, height: wanted };
  return multiplesOf(divisor, sides);
}

function multiplesOf(divisor: number, { width, height }: Size): Size {
  return { width: width - (width % divisor), height: height - (height % divisor) };
}

function atLeastOne({ width, height }: Size): Size {
  return { width: Math.max(1, width), height: Math.max(1, height) };
}
