import { AppError } from '../../errors.ts';
import type { PoolingMode } from '../../models/face-settings/text-settings.ts';
import { floatValues } from '../../tensor/float-values.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import type { Dense } from './dense.ts';
import { normalize, pool } from './pooling.ts';

/** From the output of a model to the vector of a text. */
export interface EmbeddingSteps {
  readonly pooling: readonly PoolingMode[];
  readonly dense: readonly Dense[];
  readonly normalize: boolean;
}

/** The row of an output that is that of a text. */
export interface TextRow {
  readonly row: number;
  /** Tokens of the text, special ones included. */
  readonly tokens: number;
  readonly promptTokens: number;
  readonly paddingSide: 'left' | 'right';
}

/**
 * The vector of a text, in FP64 up to its end, where it is rounded to FP32.
 *
 * @param output vectors of tokens [texts, tokens, dimensions], or of texts [texts, dimensions], which are taken as they are
 * @param dimensions cuts the vector. @default all
 * @throws AppError `INTERNAL` for an output of another form, and for numbers that are not finite
 */
export function embed(output: Tensor, at: TextRow, steps: EmbeddingSteps, dimensions?: number): Float32Array {
  const values = floatValues(output);
  const [, second = 0, third] = output.shape;
  if (values === undefined || (third === undefined && output.shape.length !== 2)) {
    throw new AppError('INTERNAL', {
      message: `The output with the vectors is ${output.datatype} [${output.shape.join(',')}]; expected floats of two or three dimensions`,
    });
  }
  const pooled = third === undefined ? rowOf(values, at.row, second) : pooledOf(values, at, [second, third], steps);
  const whole = steps.dense.reduce((vector, layer) => layer.apply(vector), pooled);
  if (!whole.every(Number.isFinite)) {
    throw new AppError('INTERNAL', { message: 'The model gave a vector with numbers that are not finite' });
  }
  const unit = steps.normalize ? normalize(whole) : whole;
  if (dimensions === undefined || dimensions === unit.length) return new Float32Array(unit);
  const cut = unit.subarray(0, dimensions);
  return new Float32Array(steps.normalize ? normalize(cut) : cut);
}

function rowOf(values: Float32Array | Float64Array, row: number, dimensions: number): Float64Array {
  return new Float64Array(values.subarray(row * dimensions, (row + 1) * dimensions));
}

function pooledOf(
  values: Float32Array | Float64Array,
  { row, tokens, promptTokens, paddingSide }: TextRow,
  [length, dimensions]: readonly [number, number],
  { pooling }: EmbeddingSteps,
): Float64Array {
  const first = paddingSide === 'right' ? 0 : length - tokens;
  const start = (row * length + first) * dimensions;
  return pool({ values, start, tokens, promptTokens, dimensions }, pooling);
}
