import { AppError } from '../errors.ts';
import { pool as poolTokens, normalize as toLengthOne } from '../faces/embedding/pooling.ts';
import type { PoolingMode } from '../models/face-settings/text-settings.ts';
import { floatValues } from '../tensor/float-values.ts';
import type { Tensor } from '../tensor/tensor.ts';

export interface PoolOptions {
  /** How the vectors of the tokens of a text become one; several are put behind each other. @default 'mean' */
  readonly mode?: PoolingMode | readonly PoolingMode[];
  /** Whether each vector gets the length 1. @default false */
  readonly normalize?: boolean;
}

/**
 * One vector for each text, computed in FP64 and rounded to FP32, as sentence-transformers does.
 *
 * @param output vectors of tokens in FP32, FP16 or FP64: `[texts, tokens, dimensions]`
 * @param mask `attention_mask`, INT64 or INT32 `[texts, tokens]`: 1 for the tokens of a text, which stand together; 0 for padding
 * @throws AppError `INTERNAL` for tensors of other types or shapes
 */
export function pool(output: Tensor, mask: Tensor, options: PoolOptions = {}): Float32Array[] {
  const { mode = 'mean', normalize = false } = options;
  const values = floatValues(output);
  const [texts, length, dimensions] = output.shape;
  const isMask = mask.datatype === 'INT64' || mask.datatype === 'INT32';
  const fits = mask.shape.length === 2 && mask.shape[0] === texts && mask.shape[1] === length;
  if (values === undefined || texts === undefined || length === undefined || dimensions === undefined) {
    throw unfit(`${output.datatype} [${output.shape.join(',')}]`, 'floats of [texts, tokens, dimensions]');
  }
  if (!isMask || !fits) throw unfit(`a mask ${mask.datatype} [${mask.shape.join(',')}]`, `INT64 [${texts},${length}]`);
  return Array.from({ length: texts }, (_, row) => {
    const own = Array.from(mask.data.subarray(row * length, (row + 1) * length), Number);
    const first = Math.max(0, own.indexOf(1));
    const tokens = own.reduce((sum, bit) => sum + bit, 0);
    const start = (row * length + first) * dimensions;
    const pooled = poolTokens({ values, start, tokens, promptTokens: 0, dimensions }, [mode].flat());
    return Float32Array.from(normalize ? toLengthOne(pooled) : pooled);
  });
}

function unfit(received: string, expected: string): AppError {
  return new AppError('INTERNAL', { message: `pool was given ${received}, expected ${expected}`, received, expected });
}
