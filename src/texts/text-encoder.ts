import { AppError, type Fault } from '../errors.ts';
import type { EncodedText, TextPair } from './encoded-text.ts';
import { joinTokens, pairTypeIds, singleTypeIds } from './join-tokens.ts';
import type { TextTokens, TokenizerFacts } from './messages.ts';
import { refuseLong } from './refuse-long.ts';
import type { TextLimits } from './text-limits.ts';
import type { HeldTokenizer, TextProcess } from './text-process.ts';

export interface EncodeOptions {
  /** What becomes of a text with too many tokens. */
  readonly tooLong: 'error' | 'truncate';
  /** Where faults say that a text stands, by its index; the index of the instance first. */
  readonly locate: (index: number) => Fault['location'];
  readonly signal?: AbortSignal;
  /** Most tokens of the second text of a pair. @default as many as fit */
  readonly mostOfSecond?: number | undefined;
}

/** Makes tokens of texts as one model takes them. */
export class TextEncoder {
  readonly limits: TextLimits;
  readonly #process: TextProcess;
  readonly #held: HeldTokenizer;

  constructor(process: TextProcess, held: HeldTokenizer, limits: TextLimits) {
    this.#process = process;
    this.#held = held;
    this.limits = limits;
  }

  /** Most tokens of a text alone, without special ones. */
  get room(): number {
    const [before, after] = this.#held.facts.template.single;
    return this.limits.maxLength - before.length - after.length;
  }

  /** Whether two texts can be taken together. */
  get takesPairs(): boolean {
    return this.#held.facts.template.pair !== undefined;
  }

  /**
   * Tokens of texts, each alone.
   *
   * @throws AppError `TEXT_TOO_LONG` that names every text that is; `ENCODER_FAILED`
   */
  async encode(texts: readonly string[], options: EncodeOptions): Promise<readonly EncodedText[]> {
    const { signal } = options;
    return this.#alone(await this.#tokens(texts, this.room, signal), options);
  }

  /**
   * Texts whose tokens a client has made, without special ones.
   *
   * @throws AppError `TEXT_TOO_LONG` that names every text that is
   */
  wrap(texts: readonly (readonly number[])[], options: EncodeOptions): readonly EncodedText[] {
    const { truncationSide } = this.limits;
    const cut = (ids: readonly number[]) =>
      truncationSide === 'right' ? ids.slice(0, this.room) : ids.slice(Math.max(0, ids.length - this.room));
    const found = texts.map((ids) => ({ ids: Int32Array.from(cut(ids)), count: ids.length }));
    return this.#alone(found, options);
  }

  #alone(found: readonly TextTokens[], options: EncodeOptions): readonly EncodedText[] {
    const { single, singleTypes } = this.#held.facts.template;
    const [before, after] = single;
    const special = before.length + after.length;
    this.#refuseLong(
      found.map(({ count }) => count + special),
      options,
    );
    return found.map(({ ids, count }) => ({
      ids: joinTokens([before, ids, after]),
      typeIds: singleTypeIds(singleTypes, ids.length),
      count: count + special,
      isTruncated: count > ids.length,
    }));
  }

  /**
   * Tokens of pairs; the second text of a pair is cut where both are too long.
   *
   * @throws AppError `TEXT_TOO_LONG` that names every pair that is, also one whose first text alone is; `ENCODER_FAILED`
   */
  async encodePairs(pairs: readonly TextPair[], options: EncodeOptions): Promise<readonly EncodedText[]> {
    const { pair, pairTypes } = this.#held.facts.template;
    if (pair === undefined || pairTypes === undefined) {
      throw new AppError('INTERNAL', { message: 'The tokenizer makes no pairs of texts' });
    }
    const { maxLength } = this.limits;
    const firsts = [...new Set(pairs.map(({ first }) => first))];
    const texts = [...firsts, ...pairs.map(({ second }) => second)];
    const found = await this.#tokens(texts, maxLength, options.signal);
    const byFirst = new Map(firsts.map((text, index) => [text, found[index]]));
    const special = pair.reduce((sum, part) => sum + part.length, 0);
    const both = pairs.map(({ first }, index) => ({
      first: byFirst.get(first) ?? noTokens,
      second: found[firsts.length + index] ?? noTokens,
    }));
    const counts = both.map(({ first, second }) => first.count + second.count + special);
    this.#refuseLong(counts, options);
    this.#refuseLong(
      both.map(({ first }) => first.count + special),
      { ...options, tooLong: 'error' },
    );
    return both.map(({ first, second }, index) => {
      const room = Math.min(maxLength - special - first.count, options.mostOfSecond ?? maxLength);
      const kept =
        this.limits.truncationSide === 'right'
          ? second.ids.subarray(0, room)
          : second.ids.subarray(Math.max(0, second.ids.length - room));
      const [before, between, after] = pair;
      return {
        ids: joinTokens([before, first.ids, between, kept, after]),
        typeIds: pairTypeIds(pairTypes, first.ids.length, kept.length),
        count: counts[index] ?? 0,
        isTruncated: kept.length < second.count,
      };
    });
  }

  /**
   * The first tokens of texts with where they stand in them, without special ones.
   *
   * @param most tokens of a text
   */
  async details(
    texts: readonly string[],
    { most = Number.MAX_SAFE_INTEGER, signal }: { readonly most?: number; readonly signal?: AbortSignal } = {},
  ): Promise<readonly TextTokens[]> {
    const keep = { tokens: most, side: 'right' } as const;
    return this.#process.encode(this.#held, texts, { keep, details: true, ...(signal && { signal }) });
  }

  /** What the tokenizer is. */
  get facts(): TokenizerFacts {
    return this.#held.facts;
  }

  /** Lets go of the tokenizer. */
  close(): void {
    this.#process.unload(this.#held);
  }

  #tokens(texts: readonly string[], room: number, signal: AbortSignal | undefined): Promise<readonly TextTokens[]> {
    const keep = { tokens: Math.max(0, room), side: this.limits.truncationSide };
    return this.#process.encode(this.#held, texts, { keep, details: false, ...(signal && { signal }) });
  }

  #refuseLong(counts: readonly number[], { tooLong, locate }: EncodeOptions): void {
    if (tooLong === 'truncate') return;
    const { maxLength } = this.limits;
    const long = counts.flatMap((tokens, index) =>
      tokens <= maxLength
        ? []
        : [
            {
              location: locate(index),
              tokens,
              message: `The text has ${tokens} tokens, expected at most ${maxLength}`,
            },
          ],
    );
    refuseLong(long, maxLength);
  }
}

const noTokens: TextTokens = { ids: new Int32Array(0), count: 0 };
