/** A grid of numbers, row by row. */
export interface Grid {
  readonly width: number;
  readonly height: number;
  readonly data: Float64Array;
}

/** Resizes by averaging: every cell of the result is the mean of the part of the source it covers. */
export function areaAverage(source: Grid, width: number, height: number): Grid {
  return transposed(averagedColumns(transposed(averagedColumns(source, width)), height));
}

function averagedColumns(source: Grid, width: number): Grid {
  const step = source.width / width;
  const data = new Float64Array(width * source.height);
  for (let column = 0; column < width; column++) {
    const start = column * step;
    const end = Math.min((column + 1) * step, source.width);
    for (let from = Math.floor(start); from < end; from++) {
      const covered = Math.min(from + 1, end) - Math.max(from, start);
      for (let row = 0; row < source.height; row++) {
        const at = row * width + column;
        data[at] = (data[at] ?? 0) + covered * (source.data[row * source.width + from] ?? 0);
      }
    }
  }
  return { width, height: source.height, data: data.map((sum) => sum / step) };
}

function transposed({ width, height, data }: Grid): Grid {
  const turned = new Float64Array(data.length);
  for (let row = 0; row < height; row++) {
    for (let column = 0; column < width; column++) turned[column * height + row] = data[row * width + column] ?? 0;
  }
  return { width: height, height: width, data: turned };
}
