import type { Region } from '../plan/picture-frame.ts';
import type { RgbRaster, Size } from '../raster.ts';

/** Pillow's NEAREST: `ImagingScaleAffine` of its `Geometry.c`, which adds the step up, rounding with every pixel. */
export function nearest(source: RgbRaster, size: Size, region: Region): Uint8Array {
  const columns = nearestPlaces(source.width, size.width, { from: region.left, count: region.width });
  const rows = nearestPlaces(source.height, size.height, { from: region.top, count: region.height });
  const { data } = source;
  const result = new Uint8Array(region.width * region.height * 3);
  let to = 0;
  for (const row of rows) {
    const begin = row * source.width;
    for (const column of columns) {
      const at = (begin + column) * 3;
      result[to] = data[at] ?? 0;
      result[to + 1] = data[at + 1] ?? 0;
      result[to + 2] = data[at + 2] ?? 0;
      to += 3;
    }
  }
  return result;
}

/** A picture that would be longer is resized to be cropped, and Pillow could not hold it. */
const mostSteps = 1_000_000;

function nearestPlaces(
  sourceSize: number,
  resultSize: number,
  { from, count }: { readonly from: number; readonly count: number },
): Int32Array {
  const step = sourceSize / resultSize;
  const places = new Int32Array(count);
  const skipped = from > mostSteps ? from : 0;
  let place = step * (skipped + 0.5);
  for (let at = skipped; at < from + count; at++) {
    if (at >= from) places[at - from] = Math.min(Math.trunc(place), sourceSize - 1);
    place += step;
  }
  return places;
}
