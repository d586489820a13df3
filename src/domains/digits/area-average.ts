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
  for (let row = 0, at = 0; row < source.height; row++) {
    const begin = row * source.width;
    for (let column = 0; column < width; column++, at++) {
      const start = column * step;
      const end = Math.min((column + 1) * step, source.width);
      let sum = 0;
      for (let from = Math.floor(start); from < end; from++) {
        const covered = Math.min(from + 1, end) - Math.max(from, start);
        sum += covered * (source.data[begin + from] ?? 0);
      }
      data[at] = sum / step;
    }
  }
  return { width, height: source.height, data };
}

function transposed({ width, height, data }: Grid): Grid {
  const turned = new Float64Array(data.length);
  for (let row = 0; row < height; row++) {
    for (let column = 0; column < width; column++) turned[column * height + row] = data[row * width + column] ?? 0;
  }
  return { width: height, height: width, data: turned };
}
