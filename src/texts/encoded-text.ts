import type { TokenRow } from './token-inputs.ts';

/** Tokens of a text, or of a pair, as a model takes them. */
export interface EncodedText extends TokenRow {
  /** How many tokens there would be if none were cut, special ones included. */
  readonly count: number;
  readonly isTruncated: boolean;
}

/** Two texts that a model takes together; the second is what is cut. */
export interface TextPair {
  readonly first: string;
  readonly second: string;
}
