import type { PoolingMode } from '../../models/face-settings/text-settings.ts';

/** Vectors of the tokens of one text, one behind the other. */
export interface TokenVectors {
  readonly values: Float32Array | Float64Array;
  /** Index of the first value of the first token that counts. */
  readonly start: number;
  readonly tokens: number;
  /** Tokens of a prompt at the beginning, special ones included, that are left out of means. */
  readonly promptTokens: number;
  readonly dimensions: number;
}

/**
 * One vector of those of all tokens, in FP64. Several modes are put behind each other.
 * Source: `Pooling` of sentence-transformers, where masked means are divided by at least 1e-9.
 */
export function pool(vectors: TokenVectors, modes: readonly PoolingMode[]): Float64Array {
  const { dimensions } = vectors;
  const pooled = new Float64Array(modes.length * dimensions);
  for (const [index, mode] of modes.entries()) {
    poolInto(pooled.subarray(index * dimensions, (index + 1) * dimensions), vectors, mode);
  }
  return pooled;
}

function poolInto(into: Float64Array, vectors: TokenVectors, mode: PoolingMode): void {
  const { values, start, tokens, promptTokens, dimensions } = vectors;
  const copyToken = (token: number) => {
    for (let at = 0; at < dimensions; at++) into[at] = values[start + token * dimensions + at] ?? 0;
  };
  switch (mode) {
    case 'cls':
      copyToken(0);
      return;
    case 'lasttoken':
      copyToken(Math.max(0, tokens - 1));
      return;
    case 'max':
      into.fill(Number.NEGATIVE_INFINITY);
      for (let token = promptTokens; token < tokens; token++) {
        for (let at = 0; at < dimensions; at++) {
          into[at] = Math.max(into[at] ?? 0, values[start + token * dimensions + at] ?? 0);
        }
      }
      return;
    case 'mean':
    case 'mean_sqrt_len':
    case 'weightedmean': {
      let weights = 0;
      for (let token = promptTokens; token < tokens; token++) {
        const weight = mode === 'weightedmean' ? token + 1 : 1;
        weights += weight;
        const base = start + token * dimensions;
        for (let at = 0; at < dimensions; at++) into[at] = (into[at] ?? 0) + weight * (values[base + at] ?? 0);
      }
      const divisor = Math.max(mode === 'mean_sqrt_len' ? Math.sqrt(weights) : weights, 1e-9);
      for (let at = 0; at < dimensions; at++) into[at] = (into[at] ?? 0) / divisor;
    }
  }
}

/** To the length 1; a vector of zeros stays. */
export function normalize(vector: Float64Array): Float64Array {
  let sum = 0;
  for (const value of vector) sum += value * value;
  const length = Math.max(Math.sqrt(sum), 1e-12);
  const unit = new Float64Array(vector.length);
  for (let at = 0; at < vector.length; at++) unit[at] = (vector[at] ?? 0) / length;
  return unit;
}
