/** Special tokens around texts, as a tokenizer's post-processor puts them. */
export interface TokenTemplate {
  /** Before and after a text alone. */
  readonly single: readonly [before: readonly number[], after: readonly number[]];
  /** Type ids of a text alone, where they are not all 0. */
  readonly singleTypes: SingleTypes | undefined;
  /** Before, between and after two texts; undefined where the tokenizer makes no pairs. */
  readonly pair: readonly [before: readonly number[], between: readonly number[], after: readonly number[]] | undefined;
  /** Type ids of a pair: of each special part, and of both texts. */
  readonly pairTypes: PairTypes | undefined;
}

export interface SingleTypes {
  readonly before: readonly number[];
  readonly text: number;
  readonly after: readonly number[];
}

export interface PairTypes {
  readonly before: readonly number[];
  readonly first: number;
  readonly between: readonly number[];
  readonly second: number;
  readonly after: readonly number[];
}

export interface LoadTokenizer {
  readonly kind: 'load';
  readonly request: number;
  readonly tokenizer: number;
  /** `tokenizer.json` */
  readonly path: string;
  /** Of the file when it was first loaded; undefined then. */
  readonly sha256: string | undefined;
}

export interface EncodeTexts {
  readonly kind: 'encode';
  readonly request: number;
  readonly tokenizer: number;
  readonly texts: readonly string[];
  /** Most tokens that come back of a text, from its beginning or its end. */
  readonly keep: { readonly tokens: number; readonly side: 'left' | 'right' };
  /** Whether to tell where tokens stand in the texts, and how long they are. */
  readonly details: boolean;
}

export interface UnloadTokenizer {
  readonly kind: 'unload';
  readonly tokenizer: number;
}

export type TextMessage = LoadTokenizer | EncodeTexts | UnloadTokenizer;

/** What a loaded tokenizer is. */
export interface TokenizerFacts {
  readonly template: TokenTemplate;
  readonly sha256: string;
  /** Ids of tokens that configurations name, by their texts; those that it does not have are left out. */
  readonly ids: Readonly<Record<string, number>>;
  /** The token for what it does not know. */
  readonly unknownId: number | undefined;
  /** Whether its tokens say that they go on a word, as the `##` of WordPiece does. */
  readonly marksSubwords: boolean;
}

/** The tokens of a text, without special ones. */
export interface TextTokens {
  readonly ids: Int32Array;
  /** How many tokens the whole text has. */
  readonly count: number;
  /** Start and end of each token, in Unicode code points of the text; with details alone. */
  readonly offsets?: Int32Array;
  /** Code points of each token itself, its marks included; with details alone. */
  readonly lengths?: Int32Array;
}

export type TextAnswer =
  | { readonly kind: 'loaded'; readonly request: number; readonly facts: TokenizerFacts }
  | { readonly kind: 'encoded'; readonly request: number; readonly texts: readonly TextTokens[] }
  | {
      readonly kind: 'failed';
      readonly request: number;
      /** `missing`: the library is not installed; `changed`: the file is another one now. */
      readonly reason: 'missing' | 'changed' | 'invalid';
      readonly message: string;
    };
