import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseJsonText } from '../../../src/tensor/json/parse-json.ts';
import { LongList } from '../../../src/tensor/sliced-json/long-list.ts';
import { readSlicedJson } from '../../../src/tensor/sliced-json/read-sliced-json.ts';
import { finish } from '../../../src/timing/sliced-work.ts';

const limits = { parse: JSON.parse, maxLists: 1_000_000 };
const read = (text: string, options = {}) => finish(readSlicedJson(Buffer.from(text), { ...limits, ...options }));

/** Makes every part of a document larger than a piece, somewhere. */
const filler = (character: string) => character.repeat(70_000);
const large = fc.constantFrom<unknown>(
  filler('x'),
  filler('"\\'),
  filler('한'),
  Array.from({ length: 30_000 }, (_, index) => index / 3),
  Array.from({ length: 9_000 }, (_, index) => [index, `${index}`]),
  Object.fromEntries(Array.from({ length: 5_000 }, (_, index) => [`name ${index}`, { value: index }])),
);
const { document } = fc.letrec<{ document: unknown; leaf: unknown }>((tie) => ({
  leaf: fc.oneof({ weight: 4, arbitrary: fc.jsonValue({ maxDepth: 2 }) }, { weight: 1, arbitrary: large }),
  document: fc.oneof(
    { maxDepth: 4 },
    tie('leaf'),
    fc.array(tie('document'), { maxLength: 5 }),
    fc.dictionary(fc.string(), tie('document'), { maxKeys: 5 }),
  ),
}));

/** Only what begins with a bracket is read in pieces. */
const documents = fc.array(document, { minLength: 1, maxLength: 4 });

it('reads what JSON.parse reads, with any white space', () => {
  fc.assert(
    fc.property(documents, fc.constantFrom(undefined, 1), (value, space) => {
      const text = JSON.stringify(value, undefined, space);
      expect(read(text)).toEqual(JSON.parse(text));
    }),
    { numRuns: 100 },
  );
});

it('refuses what JSON.parse refuses', () => {
  const changes = fc.record({
    at: fc.double({ min: 0, max: 1, noNaN: true }),
    by: fc.constantFrom('', ',', ']', '}', '[', '{', '"', ':', '0', 'x'),
  });
  fc.assert(
    fc.property(documents, changes, (value, { at, by }) => {
      const text = JSON.stringify(value);
      const index = Math.floor(at * text.length);
      const changed = text.slice(0, index) + by + text.slice(index + 1);
      let expected: unknown;
      try {
        expected = JSON.parse(changed);
      } catch {
        expect(() => read(changed)).toThrow(/JSON/);
        return;
      }
      // Longer scalars than any are refused, and a number of them is made by this test.
      expect(read(changed)).toEqual(expected);
    }),
    { numRuns: 200 },
  );
});

describe('a large document', () => {
  const list = Array.from({ length: 50_000 }, (_, index) => index);

  it('has its long lists in pieces where that is wanted', () => {
    const value = read(JSON.stringify({ data: list }), { longLists: true }) as { data: LongList };
    expect(value.data).toBeInstanceOf(LongList);
    expect([...value.data]).toEqual(list);
  });

  it('defines members, also of odd names, and the last of several of a name', () => {
    const text = `{"__proto__":${JSON.stringify(list)},"a":1,"a":${JSON.stringify(list)}}`;
    const value = read(text) as Record<string, unknown>;
    expect(Object.keys(value)).toEqual(['__proto__', 'a']);
    expect(value['a']).toEqual(list);
  });

  it('may have as many lists, members, levels and bytes of a text as are allowed', () => {
    expect(() => read(`[${'[],'.repeat(50_000)}[]]`, { maxLists: 50_001 })).not.toThrow();
    expect(() => read(`[${'[],'.repeat(50_000)}[]]`, { maxLists: 50_000 })).toThrow(
      /more than 50000 lists and objects/,
    );
    const members = (count: number) =>
      `{${Array.from({ length: count }, (_, index) => `"name ${index}":1`).join(',')}}`;
    expect(() => read(members(10_000))).not.toThrow();
    expect(() => read(members(10_001))).toThrow(/more than 10000 members/);
    expect(() => read(`${'['.repeat(101)}${']'.repeat(101)}`)).toThrow(/levels of nesting/);
    expect(() => read(JSON.stringify([filler('x')]), { maxTextBytes: 70_000 })).not.toThrow();
    expect(() => read(JSON.stringify([filler('x')]), { maxTextBytes: 69_999 })).toThrow(/JSON_LIMIT_BYTES/);
  });

  it('is UTF-8, and may begin with a byte order mark', () => {
    const bytes = Buffer.from(`\ufeff[${JSON.stringify(filler('한'))}]`);
    expect(finish(readSlicedJson(bytes, limits))).toEqual([filler('한')]);
    bytes[1000] = 0xff;
    expect(() => finish(readSlicedJson(bytes, limits))).toThrow(/not valid UTF-8/);
  });

  it('keeps what its parser of pieces keeps', () => {
    const text = `[${'12345678901234567890,'.repeat(5_000)}NaN]`;
    const value = read(text, { parse: parseJsonText }) as unknown[];
    expect(value[0]).toBe(12345678901234567890n);
    expect(value.at(-1)).toBeNaN();
  });
});
