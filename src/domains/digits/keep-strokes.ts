import type { GreyRaster } from './grey-raster.ts';

/** Fainter ink than this is no part of a stroke. */
const strokeInk = 32;
/** A blot with less than this share of the heaviest one's ink is dust. */
const dustShare = 1 / 20;
/** Ink at the edge of the picture (a shadow, a drawn frame) goes if something inside has at least this share of it. */
const insideShare = 1 / 4;

/** Ink that hangs together: eight neighbours of a pixel touch it. */
interface Blot {
  readonly pixels: readonly number[];
  readonly ink: number;
  readonly touchesEdge: boolean;
}

/** Clears everything but the strokes of the digit: dust, faint fringes, and what comes in from the edge. */
export function keepStrokes(inkMap: GreyRaster): GreyRaster {
  const blots = findBlots(inkMap);
  const heaviest = mostInk(blots);
  const inside = blots.filter((blot) => !blot.touchesEdge);
  const heaviestInside = mostInk(inside);
  const digitIsInside = heaviestInside > 0 && heaviestInside >= heaviest * insideShare;
  const [candidates, reference] = digitIsInside ? [inside, heaviestInside] : [blots, heaviest];

  const data = new Uint8Array(inkMap.data.length);
  for (const blot of candidates) {
    if (blot.ink < reference * dustShare) continue;
    for (const pixel of blot.pixels) data[pixel] = inkMap.data[pixel] ?? 0;
  }
  return { width: inkMap.width, height: inkMap.height, data };
}

function mostInk(blots: readonly Blot[]): number {
  return blots.reduce((most, blot) => Math.max(most, blot.ink), 0);
}

function findBlots(inkMap: GreyRaster): Blot[] {
  const isUnseen = new Uint8Array(inkMap.data.length);
  for (let i = 0; i < isUnseen.length; i++) isUnseen[i] = (inkMap.data[i] ?? 0) >= strokeInk ? 1 : 0;
  const blots: Blot[] = [];
  for (let pixel = isUnseen.indexOf(1); pixel !== -1; pixel = isUnseen.indexOf(1, pixel)) {
    blots.push(takeBlot(inkMap, pixel, isUnseen));
  }
  return blots;
}

/** Collects the blot around `first` and marks its pixels as seen. */
function takeBlot({ width, height, data }: GreyRaster, first: number, isUnseen: Uint8Array): Blot {
  const pixels = [first];
  let ink = 0;
  let touchesEdge = false;
  isUnseen[first] = 0;
  // The list grows while it is walked: it is its own queue.
  for (let next = 0; next < pixels.length; next++) {
    const pixel = pixels[next] ?? 0;
    const x = pixel % width;
    const y = (pixel - x) / width;
    ink += data[pixel] ?? 0;
    touchesEdge ||= x === 0 || y === 0 || x === width - 1 || y === height - 1;
    const [left, right] = [x === 0 ? 0 : -1, x === width - 1 ? 0 : 1];
    const [up, down] = [y === 0 ? 0 : -width, y === height - 1 ? 0 : width];
    for (let row = pixel + up; row <= pixel + down; row += width) {
      for (let neighbour = row + left; neighbour <= row + right; neighbour++) {
        if (isUnseen[neighbour] !== 1) continue;
        isUnseen[neighbour] = 0;
        pixels.push(neighbour);
      }
    }
  }
  return { pixels, ink, touchesEdge };
}
