import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { areaAverage } from '../../../src/domains/digits/area-average.ts';
import { type GreyRaster, toGreyRaster } from '../../../src/domains/digits/grey-raster.ts';
import { digitSidePx, normaliseDigit } from '../../../src/domains/digits/normalise-digit.ts';

/** A sheet of `paper` with a filled box of `ink`. */
function sheet(width: number, height: number, box: [number, number, number, number], paper = 255, ink = 0): GreyRaster {
  const [left, top, across, down] = box;
  const data = new Uint8Array(width * height).fill(paper);
  for (let y = top; y < top + down; y++) data.fill(ink, y * width + left, y * width + left + across);
  return { width, height, data };
}

function inkBox(digit: Uint8Array): { left: number; right: number; top: number; bottom: number } {
  const inked = Array.from(digit.keys()).filter((pixel) => (digit[pixel] ?? 0) > 0);
  const columns = inked.map((pixel) => pixel % digitSidePx);
  const rows = inked.map((pixel) => Math.floor(pixel / digitSidePx));
  return {
    left: Math.min(...columns),
    right: Math.max(...columns),
    top: Math.min(...rows),
    bottom: Math.max(...rows),
  };
}

describe('normaliseDigit', () => {
  it('makes the longer side 20 pixels, keeps the proportions, and centres the mass', () => {
    const digit = normaliseDigit(sheet(300, 200, [10, 20, 30, 120]));
    expect(inkBox(digit)).toEqual({ left: 12, right: 16, top: 5, bottom: 24 });
    expect(new Set(digit)).toEqual(new Set([0, 255]));
  });

  it('does not care where on the sheet the digit is, nor which of ink and paper is darker', () => {
    const expected = normaliseDigit(sheet(100, 100, [40, 30, 12, 40]));
    expect(normaliseDigit(sheet(150, 90, [100, 30, 12, 40]))).toEqual(expected);
    expect(normaliseDigit(sheet(100, 100, [40, 30, 12, 40], 20, 230))).toEqual(expected);
    expect(normaliseDigit(sheet(100, 100, [40, 30, 12, 40], 140, 110))).toEqual(expected);
  });

  it('leaves out dust and a frame along the edge', () => {
    const expected = normaliseDigit(sheet(100, 100, [40, 30, 12, 40]));
    const dusty = sheet(100, 100, [40, 30, 12, 40]);
    dusty.data.fill(0, 0, 100);
    for (const pixel of [515, 8_080, 8_081]) dusty.data[pixel] = 0;
    expect(normaliseDigit(dusty)).toEqual(expected);
  });

  it('gives thin strokes full ink', () => {
    const digit = normaliseDigit(sheet(250, 250, [120, 20, 2, 200]));
    expect(Math.max(...digit)).toBe(255);
  });

  it.each([0, 128, 255])('gives all zeros for a blank sheet of grey %i', (grey) => {
    expect(normaliseDigit(sheet(64, 48, [0, 0, 0, 0], grey)).every((ink) => ink === 0)).toBe(true);
  });

  it('takes any raster at all', () => {
    const raster = fc
      .tuple(fc.integer({ min: 1, max: 12 }), fc.integer({ min: 1, max: 12 }))
      .chain(([width, height]) =>
        fc
          .uint8Array({ minLength: width * height, maxLength: width * height })
          .map((data) => ({ width, height, data: Uint8Array.from(data) })),
      );
    fc.assert(
      fc.property(raster, (picture) => {
        const digit = normaliseDigit(picture);
        expect(digit).toHaveLength(digitSidePx * digitSidePx);
        expect(normaliseDigit(picture)).toEqual(digit);
      }),
    );
  });
});

describe('areaAverage', () => {
  it('keeps the mean', () => {
    const data = Float64Array.from({ length: 7 * 5 }, (_, index) => (index * 37) % 101);
    const averaged = areaAverage({ width: 7, height: 5, data }, 3, 2).data;
    const mean = (values: Float64Array) => values.reduce((sum, value) => sum + value, 0) / values.length;
    expect(mean(averaged)).toBeCloseTo(mean(data), 9);
  });

  it('averages whole cells exactly', () => {
    const data = Float64Array.from([1, 3, 5, 7]);
    expect(areaAverage({ width: 4, height: 1, data }, 2, 1).data).toEqual(Float64Array.from([2, 6]));
  });
});

describe('toGreyRaster', () => {
  const pixels = (...colours: number[][]) => Uint8Array.from(colours.flat());

  it('keeps yellow on white apart', () => {
    const data = pixels([255, 255, 255], [255, 250, 0]);
    expect(toGreyRaster({ width: 2, height: 1, channels: 3, data }).data).toEqual(Uint8Array.from([255, 0]));
  });

  it.each([
    { strokes: 'dark', level: 10, paper: 255 },
    { strokes: 'light', level: 245, paper: 0 },
  ])('lays $strokes strokes over a background that they differ from', ({ level, paper }) => {
    const data = pixels([level, level, level, 255], [0, 0, 0, 0], [255, 255, 255, 0]);
    const expected = Uint8Array.from([level, paper, paper]);
    expect(toGreyRaster({ width: 3, height: 1, channels: 4, data }).data).toEqual(expected);
  });

  it('gives one grey for a picture that is wholly transparent', () => {
    const data = pixels([1, 2, 3, 0], [200, 100, 50, 0]);
    expect(new Set(toGreyRaster({ width: 2, height: 1, channels: 4, data }).data).size).toBe(1);
  });
});
