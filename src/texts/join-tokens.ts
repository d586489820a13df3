import type { PairTypes, SingleTypes } from './messages.ts';

/** One list of the tokens of all. */
export function joinTokens(parts: readonly ArrayLike<number>[]): Int32Array {
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  const whole = new Int32Array(length);
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** The type ids of a text with special tokens around it; undefined where all are 0. */
export function singleTypeIds(types: SingleTypes | undefined, tokens: number): Int32Array | undefined {
  return types && joinTokens([types.before, new Int32Array(tokens).fill(types.text), types.after]);
}

/** The type ids of two texts with special tokens around them. */
export function pairTypeIds(
  { before, first, between, second, after }: PairTypes,
  firstTokens: number,
  secondTokens: number,
): Int32Array {
  return joinTokens([
    before,
    new Int32Array(firstTokens).fill(first),
    between,
    new Int32Array(secondTokens).fill(second),
    after,
  ]);
}
