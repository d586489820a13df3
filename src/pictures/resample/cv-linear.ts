import type { Region } from '../plan/picture-frame.ts';
import type { RgbRaster, Size } from '../raster.ts';
import { roundHalfEven } from '../round-half-even.ts';

/** Weights have 11 bits after the point. */
const one = 2048;

/** Which two places of the source make each place of the result, and the weight of the second, of 2048. */
interface Places {
  readonly before: Int32Array;
  readonly after: Int32Array;
  readonly weights: Int32Array;
}

/**
 * OpenCV's INTER_LINEAR for 8 bits, without antialiasing: `resizeGeneric_` with `HResizeLinear` and `VResizeLinear` of its
 * `resize.cpp`.
 */
export function cvLinear(source: RgbRaster, size: Size, region: Region): Uint8ClampedArray {
  const columns = horizontalPlaces(source.width, size.width, region.left, region.width);
  const rows = verticalPlaces(source.height, size.height, region.top, region.height);
  const rowLength = region.width * 3;
  const result = new Uint8ClampedArray(rowLength * region.height);
  let upper = { row: -1, sums: new Int32Array(rowLength) };
  let lower = { row: -1, sums: new Int32Array(rowLength) };
  for (let row = 0; row < region.height; row++) {
    const before = rows.before[row] ?? 0;
    const after = rows.after[row] ?? 0;
    // Going down, the row below often becomes the row above.
    if (lower.row === before) [upper, lower] = [lower, upper];
    if (upper.row !== before) upper = widenedRow(source, before, columns, upper.sums);
    if (lower.row !== after) lower = widenedRow(source, after, columns, lower.sums);
    const weight = rows.weights[row] ?? 0;
    blend(upper.sums, lower.sums, weight, result, row * rowLength);
  }
  return result;
}

function widenedRow(source: RgbRaster, row: number, columns: Places, sums: Int32Array<ArrayBuffer>) {
  const { before, after, weights } = columns;
  const { data } = source;
  const begin = row * source.width;
  let to = 0;
  for (let column = 0; column < before.length; column++) {
    const left = (begin + (before[column] ?? 0)) * 3;
    const right = (begin + (after[column] ?? 0)) * 3;
    const weight = weights[column] ?? 0;
    const rest = one - weight;
    sums[to] = (data[left] ?? 0) * rest + (data[right] ?? 0) * weight;
    sums[to + 1] = (data[left + 1] ?? 0) * rest + (data[right + 1] ?? 0) * weight;
    sums[to + 2] = (data[left + 2] ?? 0) * rest + (data[right + 2] ?? 0) * weight;
    to += 3;
  }
  return { row, sums };
}

function blend(upper: Int32Array, lower: Int32Array, weight: number, result: Uint8ClampedArray, to: number): void {
  const rest = one - weight;
  for (let at = 0; at < upper.length; at++) {
    const above = Math.imul(rest, (upper[at] ?? 0) >> 4) >> 16;
    const below = Math.imul(weight, (lower[at] ?? 0) >> 4) >> 16;
    result[to + at] = (above + below + 2) >> 2;
  }
}

/** Beyond the edges the pixel of the edge alone counts. */
function horizontalPlaces(sourceSize: number, resultSize: number, from: number, count: number): Places {
  const places = emptyPlaces(count);
  const last = sourceSize - 1;
  for (let at = 0; at < count; at++) {
    const { place, rest } = placeOf(from + at, sourceSize, resultSize);
    const isInside = place >= 0 && place < last;
    places.before[at] = clamp(place, last);
    places.after[at] = clamp(isInside ? place + 1 : place, last);
    places.weights[at] = isInside ? weightOf(rest) : 0;
  }
  return places;
}

/** Beyond the edges both rows are that of the edge; their weights stay, and round as they do elsewhere. */
function verticalPlaces(sourceSize: number, resultSize: number, from: number, count: number): Places {
  const places = emptyPlaces(count);
  const last = sourceSize - 1;
  for (let at = 0; at < count; at++) {
    const { place, rest } = placeOf(from + at, sourceSize, resultSize);
    places.before[at] = clamp(place, last);
    places.after[at] = clamp(place + 1, last);
    places.weights[at] = weightOf(rest);
  }
  return places;
}

function placeOf(at: number, sourceSize: number, resultSize: number): { place: number; rest: number } {
  const scale = 1 / (resultSize / sourceSize);
  const exact = Math.fround((at + 0.5) * scale - 0.5);
  const place = Math.floor(exact);
  return { place, rest: Math.fround(exact - place) };
}

function weightOf(rest: number): number {
  return roundHalfEven(rest * one);
}

function clamp(place: number, last: number): number {
  return Math.max(0, Math.min(place, last));
}

function emptyPlaces(count: number): Places {
  return { before: new Int32Array(count), after: new Int32Array(count), weights: new Int32Array(count) };
}
