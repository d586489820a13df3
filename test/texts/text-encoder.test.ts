import { describe, expect, it } from 'vitest';
import { encodePairWindows, encodeWindows, mostWindows } from '../../src/texts/encode-windows.ts';
import { TextEncoder } from '../../src/texts/text-encoder.ts';
import type { TextLimits } from '../../src/texts/text-limits.ts';
import { TextProcess } from '../../src/texts/text-process.ts';
import { fakeChildren, fakeFacts } from './fake-child.ts';

/** An encoder whose tokens are words, with ids of their lengths, between 101 and 102. */
async function open(limits: Partial<TextLimits> = {}, facts = fakeFacts) {
  const { children, start } = fakeChildren();
  const process = new TextProcess({ log: { warn: () => {} }, start });
  const { number } = await process.load('a');
  const usual = { maxLength: 6, truncationSide: 'right', paddingSide: 'right', padId: 0 } as const;
  return { encoder: new TextEncoder(process, { number, facts }, { ...usual, ...limits }), child: children[0] };
}

const locate = (index: number) => [index, 'text'];
const long = 'a bb ccc dddd eeeee ffffff';

describe('a text', () => {
  it('stands between special tokens, whole where it fits', async () => {
    const { encoder } = await open();
    const encoded = await encoder.encode(['a bb ccc dddd', ''], { tooLong: 'error', locate });
    expect(encoded).toEqual([
      { ids: Int32Array.of(101, 1, 2, 3, 4, 102), typeIds: undefined, count: 6, isTruncated: false },
      { ids: Int32Array.of(101, 102), typeIds: undefined, count: 2, isTruncated: false },
    ]);
  });

  it.each([
    ['right', [101, 1, 2, 3, 4, 102]],
    ['left', [101, 3, 4, 5, 6, 102]],
  ] as const)('is cut so that the %s is lost or kept', async (truncationSide, ids) => {
    const { encoder } = await open({ truncationSide });
    const [cut] = await encoder.encode([long], { tooLong: 'truncate', locate });
    expect(cut).toEqual({ ids: Int32Array.from(ids), typeIds: undefined, count: 8, isTruncated: true });
    const [window] = await encodeWindows(encoder, [long], { tooLong: 'truncate', stride: 0, locate });
    expect(window?.windows.map((row) => [...row.ids])).toEqual([ids]);
    expect(window?.isTruncated).toBe(true);
  });

  it('has the types that its tokenizer gives it', async () => {
    const singleTypes = { before: [2], text: 1, after: [0] };
    const { encoder } = await open({}, { ...fakeFacts, template: { ...fakeFacts.template, singleTypes } });
    const [encoded] = await encoder.encode(['a bb'], { tooLong: 'error', locate });
    expect(encoded?.typeIds).toEqual(Int32Array.of(2, 1, 1, 0));
    const [text] = await encodeWindows(encoder, [long], { tooLong: 'windows', stride: 0, locate });
    expect(text?.windows.map(({ typeIds }) => [...(typeIds ?? [])])).toEqual([
      [2, 1, 1, 1, 1, 0],
      [2, 1, 1, 0],
    ]);
  });

  it('comes back cut from the process, so that no more is sent than is used', async () => {
    const { encoder, child } = await open();
    await encoder.encode([long], { tooLong: 'truncate', locate });
    expect(child?.sent.at(-1)).toMatchObject({ keep: { tokens: 4, side: 'right' }, details: false });
    await encodeWindows(encoder, [long], { tooLong: 'truncate', stride: 0, locate });
    expect(child?.sent.at(-1)).toMatchObject({ keep: { tokens: 6, side: 'right' }, details: true });
  });

  it('that is too long is refused with every other that is', async () => {
    const { encoder } = await open();
    const refusal = {
      code: 'TEXT_TOO_LONG',
      message: 'The text has 8 tokens, expected at most 6',
      received: '9 tokens',
      expected: 'at most 6',
      faults: [
        { location: [1, 'text'], type: 'text_too_long', message: 'The text has 8 tokens, expected at most 6' },
        { location: [2, 'text'], type: 'text_too_long', message: 'The text has 9 tokens, expected at most 6' },
      ],
    };
    const texts = ['fine', long, `${long} g`];
    await expect(encoder.encode(texts, { tooLong: 'error', locate })).rejects.toMatchObject(refusal);
    await expect(encodeWindows(encoder, texts, { tooLong: 'error', stride: 0, locate })).rejects.toMatchObject(refusal);
  });

  it('becomes as many windows as it needs', async () => {
    const { encoder } = await open();
    const [text, empty] = await encodeWindows(encoder, [long, ''], { tooLong: 'windows', stride: 2, locate });
    expect(text?.windows.map(({ ids, start, end, at }) => ({ ids: [...ids], start, end, at }))).toEqual([
      { ids: [101, 1, 2, 3, 4, 102], start: 0, end: 4, at: 1 },
      { ids: [101, 3, 4, 5, 6, 102], start: 2, end: 6, at: 1 },
    ]);
    expect(text).toMatchObject({ count: 8, isTruncated: false });
    expect(empty?.windows.map(({ ids }) => [...ids])).toEqual([[101, 102]]);
  });

  it('that needs too many windows is refused', async () => {
    const { encoder } = await open();
    const text = 'a '.repeat(mostWindows + 4);
    await expect(encodeWindows(encoder, ['a', text], { tooLong: 'windows', stride: 3, locate })).rejects.toMatchObject({
      code: 'TEXT_TOO_LONG',
      faults: [{ location: [1, 'text'], message: expect.stringContaining(`at most ${mostWindows} in all`) }],
    });
  });
});

describe('a pair of texts', () => {
  const which = (index: number, part: 'first' | 'second') => [index, part];

  it('has types, and the second is cut', async () => {
    const { encoder } = await open({ maxLength: 8 });
    const pairs = [{ first: 'a bb', second: long }];
    const [cut] = await encoder.encodePairs(pairs, { tooLong: 'truncate', locate });
    expect(cut).toEqual({
      ids: Int32Array.of(101, 1, 2, 102, 1, 2, 3, 102),
      typeIds: Int32Array.of(0, 0, 0, 0, 1, 1, 1, 1),
      count: 11,
      isTruncated: true,
    });
  });

  it('is cut on the left where the tokenizer says so, also to nothing', async () => {
    const { encoder } = await open({ maxLength: 6, truncationSide: 'left' });
    const pairs = ['a bb', 'a bb ccc'].map((first) => ({ first, second: long }));
    const cut = await encoder.encodePairs(pairs, { tooLong: 'truncate', locate });
    expect(cut.map(({ ids }) => [...ids])).toEqual([
      [101, 1, 2, 102, 6, 102],
      [101, 1, 2, 3, 102, 102],
    ]);
  });

  it('whose first text alone is too long is refused, whatever is said of long ones', async () => {
    const { encoder } = await open();
    const pairs = [{ first: long, second: 'a' }];
    await expect(encoder.encodePairs(pairs, { tooLong: 'truncate', locate })).rejects.toMatchObject({
      code: 'TEXT_TOO_LONG',
      faults: [{ location: [0, 'text'] }],
    });
  });

  it('that are too long are all named', async () => {
    const { encoder } = await open();
    const pairs = [
      { first: 'a', second: long },
      { first: 'a', second: 'b' },
      { first: 'a', second: long },
    ];
    for (const refused of [
      encoder.encodePairs(pairs, { tooLong: 'error', locate }),
      encodePairWindows(encoder, pairs, { tooLong: 'error', stride: 0, locate }),
    ]) {
      await expect(refused).rejects.toMatchObject({
        code: 'TEXT_TOO_LONG',
        faults: [{ location: [0, expect.any(String)] }, { location: [2, expect.any(String)] }],
      });
    }
  });

  it('becomes windows over the second, with the first in each', async () => {
    const { encoder } = await open({ maxLength: 8 });
    const [pair] = await encodePairWindows(encoder, [{ first: 'a bb', second: long }], {
      tooLong: 'windows',
      stride: 1,
      locate: which,
    });
    expect(pair?.windows.map(({ ids }) => [...ids])).toEqual([
      [101, 1, 2, 102, 1, 2, 3, 102],
      [101, 1, 2, 102, 3, 4, 5, 102],
      [101, 1, 2, 102, 5, 6, 102],
    ]);
    expect([...(pair?.windows[2]?.typeIds ?? [])]).toEqual([0, 0, 0, 0, 1, 1, 1]);
    expect(pair?.windows.every(({ at }) => at === 4)).toBe(true);
  });

  it('needs room for windows beside the first, where the second does not fit', async () => {
    const { encoder } = await open({ maxLength: 8 });
    const options = { tooLong: 'windows', stride: 3, locate: which } as const;
    const windows = (second: string) => encodePairWindows(encoder, [{ first: 'a bb', second }], options);
    expect((await windows('a b c'))[0]?.windows).toHaveLength(1);
    await expect(windows('a b c d')).rejects.toMatchObject({
      code: 'TEXT_TOO_LONG',
      faults: [
        {
          location: [0, 'first'],
          message: 'The text leaves 3 of 8 tokens, expected more than the 3 that windows share',
        },
      ],
    });
    const tooLong = 'a '.repeat(30);
    await expect(
      encodePairWindows(encoder, [{ first: tooLong, second: 'a' }], { ...options, tooLong: 'truncate' }),
    ).rejects.toMatchObject({
      code: 'TEXT_TOO_LONG',
      faults: [
        { location: [0, 'first'], message: 'The text has 33 tokens, special ones included, expected fewer than 8' },
      ],
    });
  });

  it('is refused where the tokenizer makes none', async () => {
    const { template, ...facts } = fakeFacts;
    const single = { ...facts, template: { ...template, pair: undefined, pairTypes: undefined } };
    const { encoder } = await open({}, single);
    expect(encoder.takesPairs).toBe(false);
    const pairs = [{ first: 'a', second: 'b' }];
    await expect(encoder.encodePairs(pairs, { tooLong: 'error', locate })).rejects.toMatchObject({ code: 'INTERNAL' });
  });
});
