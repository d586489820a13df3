import { AppError, type Fault } from '../errors.ts';
import type { TextPair } from './encoded-text.ts';
import { joinTokens, pairTypeIds, singleTypeIds } from './join-tokens.ts';
import type { TextTokens } from './messages.ts';
import { type LongText, refuseLong } from './refuse-long.ts';
import type { TextEncoder } from './text-encoder.ts';
import type { TokenRow } from './token-inputs.ts';
import { type TokenRange, windowCount, windowRanges } from './windows.ts';

/** One row of a model, with a part of a text in it. */
export interface TextWindow extends TokenRow, TokenRange {
  /** Where in the row the first token of the text stands. */
  readonly at: number;
}

/** A text as rows of a model: one where it fits. */
export interface WindowedText {
  /** Of the text, without special tokens; of a pair, of the second. Those behind what is cut may be missing. */
  readonly tokens: TextTokens;
  readonly windows: readonly TextWindow[];
  /** How many tokens there would be in one row, special ones included. */
  readonly count: number;
  readonly isTruncated: boolean;
}

export interface EncodeWindowsOptions {
  /** What becomes of a text with too many tokens. */
  readonly tooLong: 'error' | 'truncate' | 'windows';
  /** Tokens that windows share. */
  readonly stride: number;
  /** Where faults say that a text stands, by the index of the instance; `first` of a pair where that alone is too long. */
  readonly locate: (index: number, which: 'first' | 'second') => Fault['location'];
  readonly signal?: AbortSignal;
}

/** A text of one byte a token, in windows that share nearly all they have, would fill the memory. */
export const mostWindows = 4096;

/**
 * Tokens of texts with where they stand, in as many windows as each needs.
 *
 * @throws AppError `TEXT_TOO_LONG` that names every text that is; `ENCODER_FAILED`
 */
export async function encodeWindows(
  encoder: TextEncoder,
  texts: readonly string[],
  options: EncodeWindowsOptions,
): Promise<readonly WindowedText[]> {
  const { single, singleTypes } = encoder.facts.template;
  const [before, after] = single;
  const found = await encoder.details(texts, detailsFor(encoder, options));
  const cuts = cutAll(
    encoder,
    found.map((tokens) => ({ tokens, special: before.length + after.length })),
    options,
  );
  return found.map((tokens, index) => {
    const { ranges = [], count = 0, isTruncated = false } = cuts[index] ?? {};
    const windows = ranges.map(({ start, end }) => ({
      start,
      end,
      at: before.length,
      ids: joinTokens([before, tokens.ids.subarray(start, end), after]),
      typeIds: singleTypeIds(singleTypes, end - start),
    }));
    return { tokens, windows, count, isTruncated };
  });
}

/**
 * Tokens of pairs with where those of the second text stand, in as many windows over it as each needs; the first text is
 * whole in all of them.
 *
 * @throws AppError `TEXT_TOO_LONG` that names every pair that is, also one whose first text leaves too little room
 */
export async function encodePairWindows(
  encoder: TextEncoder,
  pairs: readonly TextPair[],
  options: EncodeWindowsOptions,
): Promise<readonly WindowedText[]> {
  const { pair, pairTypes } = encoder.facts.template;
  if (pair === undefined || pairTypes === undefined) {
    throw new AppError('INTERNAL', { message: 'The tokenizer makes no pairs of texts' });
  }
  const [before, between, after] = pair;
  const special = before.length + between.length + after.length;
  const firsts = [...new Set(pairs.map(({ first }) => first))];
  const texts = [...firsts, ...pairs.map(({ second }) => second)];
  const found = await encoder.details(texts, detailsFor(encoder, options));
  const byFirst = new Map(firsts.map((text, index) => [text, found[index] ?? noTokens]));
  const both = pairs.map(({ first }, index) => ({
    first: byFirst.get(first) ?? noTokens,
    tokens: found[firsts.length + index] ?? noTokens,
  }));
  const cuts = cutAll(
    encoder,
    both.map(({ first, tokens }) => ({ tokens, special: special + first.count })),
    options,
  );
  return both.map(({ first, tokens }, index) => {
    const { ranges = [], count = 0, isTruncated = false } = cuts[index] ?? {};
    const windows = ranges.map(({ start, end }) => ({
      start,
      end,
      at: before.length + first.count + between.length,
      ids: joinTokens([before, first.ids, between, tokens.ids.subarray(start, end), after]),
      typeIds: pairTypeIds(pairTypes, first.count, end - start),
    }));
    return { tokens, windows, count, isTruncated };
  });
}

const noTokens: TextTokens = { ids: new Int32Array(0), count: 0 };

/** No more than is needed: the places of a text's many tokens cost more to send than they cost to find. */
function detailsFor({ limits }: Pick<TextEncoder, 'limits'>, { tooLong, signal }: EncodeWindowsOptions) {
  const isCut = tooLong !== 'windows' && limits.truncationSide === 'right';
  return { ...(isCut && { most: limits.maxLength }), ...(signal && { signal }) };
}

interface Cut {
  readonly ranges: readonly TokenRange[];
  readonly count: number;
  readonly isTruncated: boolean;
}

/** Which parts of each text become rows. */
function cutAll(
  { limits: { maxLength, truncationSide: side } }: Pick<TextEncoder, 'limits'>,
  texts: readonly { readonly tokens: TextTokens; readonly special: number }[],
  { tooLong, stride, locate }: EncodeWindowsOptions,
): readonly Cut[] {
  const long: LongText[] = [];
  let windows = 0;
  const cuts = texts.map(({ tokens: { count: own }, special }, index): Cut => {
    const count = own + special;
    const room = maxLength - special;
    const refuse = (which: 'first' | 'second', message: string) => {
      long.push({ location: locate(index, which), tokens: count, message });
      return { ranges: [], count, isTruncated: false };
    };
    if (room < 0 || (room === 0 && own > 0)) {
      return refuse('first', `The text has ${special} tokens, special ones included, expected fewer than ${maxLength}`);
    }
    if (own <= room) {
      windows += 1;
      return { ranges: windowRanges(own, { room, stride: 0, side }), count, isTruncated: false };
    }
    if (tooLong === 'error') return refuse('second', `The text has ${count} tokens, expected at most ${maxLength}`);
    if (tooLong === 'truncate') {
      windows += 1;
      const kept = side === 'right' ? { start: 0, end: room } : { start: own - room, end: own };
      return { ranges: [kept], count, isTruncated: true };
    }
    if (stride >= room) {
      return refuse(
        'first',
        `The text leaves ${room} of ${maxLength} tokens, expected more than the ${stride} that windows share`,
      );
    }
    windows += windowCount(own, { room, stride });
    if (windows > mostWindows) {
      return refuse(
        'second',
        `The text with ${own} tokens needs too many windows, expected at most ${mostWindows} in all`,
      );
    }
    return { ranges: windowRanges(own, { room, stride, side }), count, isTruncated: false };
  });
  refuseLong(long, maxLength);
  return cuts;
}
