import { readFile } from 'node:fs/promises';
import { TextEncoder } from '../../src/texts/text-encoder.ts';
import type { TextLimits } from '../../src/texts/text-limits.ts';
import { TextProcess } from '../../src/texts/text-process.ts';

export const tokenizerNames = ['wordpiece', 'byte-level-bpe', 'unigram'] as const;
export type TokenizerName = (typeof tokenizerNames)[number];

const folder = new URL('../fixtures/tokenizers/', import.meta.url);

export const tokenizerPath = (name: TokenizerName): string => new URL(`${name}/tokenizer.json`, folder).pathname;

interface ExpectedWindows {
  readonly maxLength: number;
  readonly stride: number;
  readonly side: 'left' | 'right';
  readonly windows: readonly { readonly ids: readonly number[]; readonly offsets: readonly number[] }[];
}

/** What Python's library makes of texts; offsets are in code points, start and end of each token in turn. */
export interface ExpectedTokens {
  readonly texts: readonly {
    readonly text: string;
    readonly ids: readonly number[];
    readonly offsets: readonly number[];
  }[];
  readonly pairs: readonly {
    readonly first: string;
    readonly second: string;
    readonly ids: readonly number[];
    readonly typeIds: readonly number[];
  }[];
  readonly windows: readonly (ExpectedWindows & { readonly text: string })[];
  readonly pairWindows: readonly (ExpectedWindows & { readonly first: string; readonly second: string })[];
}

export async function expectedTokens(name: TokenizerName): Promise<ExpectedTokens> {
  return JSON.parse(await readFile(new URL(`${name}/expected.json`, folder), 'utf8'));
}

export const wideLimits: TextLimits = { maxLength: 10_000, truncationSide: 'right', paddingSide: 'right', padId: 0 };

export interface FixtureEncoder extends AsyncDisposable {
  readonly process: TextProcess;
  readonly warnings: readonly string[];
  /** An encoder over the tokenizer, with limits that are not those of {@link wideLimits}. */
  limited(limits?: Partial<TextLimits>): TextEncoder;
}

/** A tokenizer of the fixtures, in a text process of its own. */
export async function openTokenizer(name: TokenizerName): Promise<FixtureEncoder> {
  const warnings: string[] = [];
  const process = new TextProcess({ log: { warn: (_fields: object, message: string) => void warnings.push(message) } });
  const held = await process.load(tokenizerPath(name));
  return {
    process,
    warnings,
    limited: (limits = {}) => new TextEncoder(process, held, { ...wideLimits, ...limits }),
    [Symbol.asyncDispose]: () => process.close(),
  };
}
