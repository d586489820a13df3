import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type EncodeIds, learnTemplate } from '../../src/texts/learn-template.ts';

/** Special tokens of a made-up post-processor; words have ids from 1000 on. */
const special = fc.array(fc.nat(5), { maxLength: 4 });
const types = fc.nat(3);

interface PostProcessor {
  readonly single: readonly [readonly number[], readonly number[]];
  readonly pair: readonly [readonly number[], readonly number[], readonly number[]];
  readonly first: number;
  readonly second: number;
  readonly specialType: number;
}

const wordIds = (text: string): number[] =>
  text.split(' ').flatMap((word) => Array.from(word, (letter) => 1000 + (letter.codePointAt(0) ?? 0)));

function encodeBy({ single, pair, first, second, specialType }: PostProcessor): EncodeIds {
  return async (text, other, isSpecial) => {
    const a = wordIds(text);
    if (other === undefined) {
      const typeIds = [...single[0].map(() => specialType), ...a.map(() => first), ...single[1].map(() => specialType)];
      return isSpecial ? { ids: [...single[0], ...a, ...single[1]], typeIds } : { ids: a, typeIds: a.map(() => first) };
    }
    const b = wordIds(other);
    const [before, between, after] = pair;
    const typed = (ids: readonly number[], type: number) => ids.map(() => type);
    return {
      ids: [...before, ...a, ...between, ...b, ...after],
      typeIds: [
        ...typed(before, specialType),
        ...typed(a, first),
        ...typed(between, specialType),
        ...typed(b, second),
        ...typed(after, specialType),
      ],
    };
  };
}

describe('the template of a tokenizer', () => {
  it('is that of its post-processor, whatever it puts around texts', async () => {
    const processors = fc.record({
      single: fc.tuple(special, special),
      pair: fc.tuple(special, special, special),
      first: types,
      second: types,
      specialType: types,
    });
    await fc.assert(
      fc.asyncProperty(processors, async (processor) => {
        const { single, pair, first, second, specialType } = processor;
        const template = await learnTemplate(encodeBy(processor));
        expect(template.single).toEqual(single);
        const [before, after] = single.map((part) => part.map(() => specialType));
        const hasTypes = first > 0 || (specialType > 0 && single.flat().length > 0);
        expect(template.singleTypes).toEqual(hasTypes ? { before, text: first, after } : undefined);
        expect(template.pair).toEqual(pair);
        expect(template.pairTypes).toEqual({
          before: pair[0].map(() => specialType),
          first,
          between: pair[1].map(() => specialType),
          second,
          after: pair[2].map(() => specialType),
        });
      }),
    );
  });

  it('has no pair where the tokenizer makes none, or turns them around', async () => {
    const plain = encodeBy({ single: [[1], [2]], pair: [[1], [2], [2]], first: 0, second: 1, specialType: 0 });
    const refusing: EncodeIds = (text, pair, isSpecial) =>
      pair === undefined ? plain(text, pair, isSpecial) : Promise.reject(new Error('no pairs'));
    const turning: EncodeIds = (text, pair, isSpecial) =>
      pair === undefined ? plain(text, pair, isSpecial) : plain(pair, text, isSpecial);
    for (const encode of [refusing, turning]) {
      expect(await learnTemplate(encode)).toEqual({ single: [[1], [2]] });
    }
  });

  it('is learnt from another text where a tokenizer drops the letters of the first', async () => {
    const latinLess: EncodeIds = async (text, pair, isSpecial) => {
      const ids = [...text, ...(pair ?? '')].flatMap((letter) => (letter >= '가' ? [1000 + letter.charCodeAt(0)] : []));
      return { ids: isSpecial ? [1, ...ids, 2] : ids, typeIds: ids };
    };
    expect((await learnTemplate(latinLess)).single).toEqual([[1], [2]]);
  });

  it('is refused where no text is found in its own tokens', async () => {
    const mixing: EncodeIds = async (text, _pair, isSpecial) => {
      const ids = wordIds(text).map((id) => (isSpecial ? id + 1 : id));
      return { ids, typeIds: ids };
    };
    await expect(learnTemplate(mixing)).rejects.toThrow('no text comes out of it as it goes in');
  });
});
