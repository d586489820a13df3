import type { Region } from '../plan/picture-frame.ts';
import type { PictureFilter } from '../plan/picture-plan.ts';
import type { RgbRaster, Size } from '../raster.ts';
import { type Pixels, resampleColumns, resampleRows } from './antialias.ts';
import { type Coefficients, computeCoefficients, neededSource, type Stretch } from './coefficients.ts';
import { cvLinear } from './cv-linear.ts';
import { type AntialiasingFilter, filters } from './filters.ts';
import { nearest } from './nearest.ts';

/** So many tables are kept: those of the sizes that pictures often have. */
const keptTables = 32;

/** Resizes pictures as Pillow and OpenCV do, bit for bit. Keeps the tables of sizes that come again. */
export class Resampler {
  /** The one that was used longest ago is first. */
  readonly #tables = new Map<string, Coefficients>();

  /**
   * The pixels of a region of the resized picture; the rest of it is not computed.
   *
   * @param size of the whole picture when it is resized
   * @param region inside of that
   */
  resample(source: RgbRaster, size: Size, region: Region, filter: PictureFilter): Uint8Array | Uint8ClampedArray {
    if (source.width === size.width && source.height === size.height) return cut(source, region);
    if (filter === 'nearest') return nearest(source, size, region);
    if (filter === 'cv-linear') return cvLinear(source, size, region);
    return this.#antialiased(source, size, region, filter);
  }

  /** One axis and then the other, with 8 bits between. An axis that keeps its size is left alone. */
  #antialiased(source: RgbRaster, size: Size, region: Region, filter: AntialiasingFilter) {
    const wantedColumns = { from: region.left, count: region.width };
    const wantedRows = { from: region.top, count: region.height };
    const pixels: Pixels = { data: source.data, width: source.width, left: 0, top: 0 };
    const columns =
      source.width === size.width ? undefined : this.#table(filter, source.width, size.width, wantedColumns);
    const rows =
      source.height === size.height ? undefined : this.#table(filter, source.height, size.height, wantedRows);
    if (rows === undefined) {
      return columns === undefined ? cut(source, region) : resampleRows(pixels, columns, wantedRows).data;
    }
    if (columns === undefined) return resampleColumns(pixels, rows, wantedColumns).data;
    if (isColumnsFirst(source, size)) {
      return resampleRows(resampleColumns(pixels, rows, neededSource(columns)), columns, {
        from: 0,
        count: region.height,
      }).data;
    }
    return resampleColumns(resampleRows(pixels, columns, neededSource(rows)), rows, { from: 0, count: region.width })
      .data;
  }

  #table(filter: AntialiasingFilter, sourceSize: number, resultSize: number, stretch: Stretch): Coefficients {
    const key = [filter, sourceSize, resultSize, stretch.from, stretch.count].join(' ');
    const table = this.#tables.get(key) ?? computeCoefficients(filters[filter], sourceSize, resultSize, stretch);
    this.#tables.delete(key);
    this.#tables.set(key, table);
    const [oldest] = this.#tables.keys();
    if (this.#tables.size > keptTables && oldest !== undefined) this.#tables.delete(oldest);
    return table;
  }
}

/**
 * Whether the columns are made shorter before the rows, which saves time where the height shrinks much more than the width.
 * Pillow does so since version 13; before, it did only for pictures a hundred times as high as wide.
 */
function isColumnsFirst(source: Size, size: Size): boolean {
  const fewerRows = source.height - size.height;
  return fewerRows > 0 && fewerRows > (source.width - size.width) * 2;
}

/** The pixels of a region of a picture. */
function cut(source: RgbRaster, { left, top, width, height }: Region): Uint8Array {
  const from = (row: number) => ((top + row) * source.width + left) * 3;
  if (width === source.width) return source.data.subarray(from(0), from(height));
  const result = new Uint8Array(width * height * 3);
  for (let row = 0; row < height; row++) {
    result.set(source.data.subarray(from(row), from(row) + width * 3), row * width * 3);
  }
  return result;
}
