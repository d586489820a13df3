import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { encodePairWindows, encodeWindows, type WindowedText } from '../../src/texts/encode-windows.ts';
import {
  type ExpectedTokens,
  expectedTokens,
  type FixtureEncoder,
  openTokenizer,
  tokenizerNames,
} from './fixture-tokenizers.ts';

const locate = (index: number) => [index];

/**
 * Where the tokens of the windows of a text stand, and what Python says of them. Python lets the first token of a window
 * begin with the blank before it, where the tokenizer has blanks in its tokens; here it stands where it does in the whole
 * text.
 */
function offsetsOf(
  { tokens, windows }: WindowedText,
  text: string,
  expected: readonly { readonly offsets: readonly number[] }[],
): readonly (readonly [readonly number[], readonly number[]])[] {
  const characters = [...text];
  return windows.map(({ start, end, at }, index) => {
    const own = [...(tokens.offsets?.subarray(2 * start, 2 * end) ?? [])];
    const given = expected[index]?.offsets.slice(2 * at, 2 * (at + end - start)) ?? [];
    const [first = 0, last = 0, ...others] = given;
    if (first + 1 !== own[0] || characters[first] !== ' ') return [own, given];
    return [own, [first + 1, Math.max(first + 1, last), ...others]];
  });
}

describe.each(tokenizerNames)('the tokens of %s', (name) => {
  let opened: FixtureEncoder;
  let expected: ExpectedTokens;

  beforeAll(async () => {
    [opened, expected] = await Promise.all([openTokenizer(name), expectedTokens(name)]);
  });
  afterAll(() => opened[Symbol.asyncDispose]());

  it('are those of Python for odd texts', async () => {
    const texts = expected.texts.map(({ text }) => text);
    const encoded = await opened.limited().encode(texts, { tooLong: 'error', locate });
    expect(encoded.map(({ ids }) => [...ids])).toEqual(expected.texts.map(({ ids }) => ids));
    expect(encoded.map(({ count }) => count)).toEqual(expected.texts.map(({ ids }) => ids.length));
  });

  it('stand where Python says', async () => {
    const texts = expected.texts.map(({ text }) => text);
    const encoded = await encodeWindows(opened.limited(), texts, { tooLong: 'error', stride: 0, locate });
    for (const [index, text] of encoded.entries()) {
      const [window] = text.windows;
      expect(text.windows).toHaveLength(1);
      const [before = 0, after = 0] = [window?.at, (window?.ids.length ?? 0) - (window?.at ?? 0) - (window?.end ?? 0)];
      const special = (count: number) => new Array<number>(2 * count).fill(0);
      const offsets = [...special(before), ...(text.tokens.offsets ?? []), ...special(after)];
      expect([texts[index], offsets]).toEqual([texts[index], expected.texts[index]?.offsets]);
    }
  });

  it('are those of Python for pairs, with their types', async () => {
    const encoded = await opened.limited().encodePairs(expected.pairs, { tooLong: 'error', locate });
    expect(encoded.map(({ ids, typeIds }) => ({ ids: [...ids], typeIds: [...(typeIds ?? [])] }))).toEqual(
      expected.pairs.map(({ ids, typeIds }) => ({ ids, typeIds })),
    );
  });

  it('are cut into the windows of Python', async () => {
    for (const { text, maxLength, stride, side, windows } of expected.windows) {
      const encoder = opened.limited({ maxLength, truncationSide: side });
      const [encoded] = await encodeWindows(encoder, [text], { tooLong: 'windows', stride, locate });
      expect(encoded?.windows.map(({ ids }) => [...ids])).toEqual(windows.map(({ ids }) => ids));
      for (const [own, given] of encoded === undefined ? [] : offsetsOf(encoded, text, windows)) {
        expect(own).toEqual(given);
      }
    }
  });

  it('are cut into the windows of Python over the second of a pair', async () => {
    for (const { first, second, maxLength, stride, side, windows } of expected.pairWindows) {
      const encoder = opened.limited({ maxLength, truncationSide: side });
      const options = { tooLong: 'windows', stride, locate } as const;
      const [encoded] = await encodePairWindows(encoder, [{ first, second }], options);
      expect(encoded?.windows.map(({ ids }) => [...ids])).toEqual(windows.map(({ ids }) => ids));
      for (const [own, given] of encoded === undefined ? [] : offsetsOf(encoded, second, windows)) {
        expect(own).toEqual(given);
      }
    }
  });

  it('are cut to the window that Python keeps', async () => {
    for (const { text, maxLength, side, windows } of expected.windows) {
      const encoder = opened.limited({ maxLength, truncationSide: side });
      const [cut] = await encoder.encode([text], { tooLong: 'truncate', locate });
      expect([...(cut?.ids ?? [])]).toEqual(windows[0]?.ids);
      expect(cut?.isTruncated).toBe(true);
      const [same] = await encodeWindows(encoder, [text], { tooLong: 'truncate', stride: 0, locate });
      expect(same?.windows.map(({ ids }) => [...ids])).toEqual([windows[0]?.ids]);
    }
  });

  it('are made of lone surrogates, of a long text and of a thousand at once', async () => {
    const texts = ['\ud800 lone', 'x\udfff', 'word '.repeat(20_000), ...new Array<string>(1000).fill('good news')];
    const encoded = await opened.limited({ maxLength: 1e6 }).encode(texts, { tooLong: 'error', locate });
    expect(encoded).toHaveLength(texts.length);
    expect(encoded[0]?.count).toBeGreaterThan(2);
  });
});
