import type { Fault } from '../errors.ts';
import type { Signature, Tensors } from '../tensor/tensor.ts';
import type { EncodedText, TextPair } from '../texts/encoded-text.ts';
import type { TokenRow } from '../texts/token-inputs.ts';

export interface LoadTokenizerOptions {
  /** Most tokens of a text, special ones included. @default what the files say, else 512 */
  readonly maxLength?: number;
  /** Longest time for loading, in milliseconds. @default 120,000 */
  readonly timeoutMs?: number;
}

export interface TokenizeOptions {
  /** What becomes of a text with more tokens than {@link Tokenizer.maxLength}. @default 'error' */
  readonly tooLong?: 'error' | 'truncate';
  /** Where faults say that a text stands, by its index. @default that of the instance with the index of the text */
  readonly locate?: (index: number) => Fault['location'];
  readonly signal?: AbortSignal;
}

export interface PadOptions {
  /** Whose inputs are made, such as the model that `encode` is given. @default `input_ids`, `attention_mask`, `token_type_ids`, INT64 */
  readonly model?: { readonly signature: Signature };
  /** Tokens of each row. @default those of the longest, or as many as the model takes */
  readonly length?: number;
}

/** Tokens of texts as Hugging Face's own library makes them, in the process that holds the tokenizers. */
export interface Tokenizer {
  /** Most tokens of a text, special ones included. */
  readonly maxLength: number;
  /**
   * Tokens of texts, or of two texts that a model takes together, special ones included, in their order. Of a pair, the
   * second is cut.
   *
   * @throws AppError `TEXT_TOO_LONG` that names every text that is; `ENCODER_FAILED` when the process ends twice over them, or
   *   the tokenizer is closed; the reason of the signal
   */
  encode(texts: readonly (string | TextPair)[], options?: TokenizeOptions): Promise<readonly EncodedText[]>;
  /**
   * Tensors `[texts, tokens]` of tokens, padded to one length on the side that the files say.
   *
   * @throws AppError `INTERNAL` for a row that is longer, and for a model with inputs that are not made of tokens
   */
  pad(rows: readonly TokenRow[], options?: PadOptions): Tensors;
  /** Lets go of it; the process ends with the last tokenizer. */
  close(): void;
  [Symbol.dispose](): void;
}

/** Loads a tokenizer. */
export type LoadTokenizer = (folder: string, options?: LoadTokenizerOptions) => Promise<Tokenizer>;
