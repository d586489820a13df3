import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readExactJson } from '../../src/tensor/json/exact-json.ts';
import { parseJson } from '../../src/tensor/json/parse-json.ts';
import { refusal } from './malformed.ts';

const parse = (text: string) => parseJson(new TextEncoder().encode(text));

/** The JSON of a value whose bigints are rounded to numbers. */
function withoutBigints(value: unknown): string {
  return JSON.stringify(value, (_, member) => (typeof member === 'bigint' ? Number(member) : member));
}

describe('parseJson', () => {
  it('reads any JSON as JSON.parse does, but for large whole numbers', () => {
    fc.assert(
      fc.property(fc.json({ stringUnit: 'binary' }), fc.constantFrom('', ' ', '\n\t\r '), (text, space) => {
        expect(withoutBigints(parse(space + text + space))).toBe(JSON.stringify(JSON.parse(text)));
      }),
    );
  });

  it('keeps every 64-bit integer, wherever it stands', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 64n - 1n }), (value) => {
        const exact = Number.isSafeInteger(Number(value)) ? Number(value) : value;
        expect(parse(`{"a":[1,${value}, ${value}],"b":${value}}`)).toEqual({ a: [1, exact, exact], b: exact });
        expect(parse(`${value}`)).toBe(exact);
      }),
    );
  });

  it('keeps the sign of -0', () => {
    expect(parse('[-0, -0.0]')).toEqual([-0, -0]);
    expect(parse('[-0, NaN]')).toEqual([-0, Number.NaN]);
  });

  it('reads the bare tokens of numbers that are not finite', () => {
    expect(parse('{"data":[NaN, Infinity,-Infinity, 1e3]}')).toEqual({ data: [Number.NaN, Infinity, -Infinity, 1000] });
  });

  it('leaves digits and tokens inside texts alone', () => {
    const text = '{"12345678901234567890": "NaN, 12345678901234567890 \\" \\\\", "x": [-Infinity]}';
    expect(parse(text)).toEqual({ '12345678901234567890': 'NaN, 12345678901234567890 " \\', x: [-Infinity] });
  });

  it('defines a member named __proto__ without changing the prototype', () => {
    const value = parse('{"__proto__": {"polluted": 1}, "x": NaN}');
    expect(Object.getPrototypeOf(value)).toBe(Object.prototype);
    expect(Object.keys(Object(value))).toEqual(['__proto__', 'x']);
  });

  it.each([
    ['[1,', 'Unexpected end of JSON input'],
    ['[NaN', 'it ends too early at position 4'],
    ['[NaN,]', 'unexpected "]" at position 5'],
    ['[NaN] 1', 'unexpected "1" at position 6'],
    ['[NaN, 01]', 'unexpected "1" at position 7'],
    ['[NaN, +1]', 'unexpected "+" at position 6'],
    ['[NaN, .5]', 'unexpected "." at position 6'],
    ['{"a" NaN}', 'unexpected "N" at position 5'],
    ['{NaN: 1}', 'unexpected "N" at position 1'],
    ['[NaN, "a]', 'the text is never closed at position 6'],
    ['[NaN, "\\x"]', 'the text has a bad escape or a control character at position'],
    ['[1e400]', 'the number 1e400 is too large for a double at position 1'],
    [`[${'9'.repeat(400)}]`, 'is too large for a double at position 1'],
    [`[NaN,${'['.repeat(200)}`, 'more than 100 levels of nesting at position 104'],
    ['', 'Unexpected end of JSON input'],
  ])('refuses %s', (text, reason) => {
    const error = refusal(() => parse(text));
    expect(error.code).toBe('MALFORMED_JSON');
    expect(error.message).toContain(reason);
  });

  it('refuses more lists and objects than allowed', () => {
    const bytes = new TextEncoder().encode('[{}, {}, [[]]]');
    expect(parseJson(bytes, { maxLists: 5 })).toEqual([{}, {}, [[]]]);
    expect(refusal(() => parseJson(bytes, { maxLists: 4 }))).toMatchObject({
      code: 'BODY_TOO_LARGE',
      message: 'The body has more than 4 lists and objects',
    });
    expect(refusal(() => parse('['.repeat(1_000_001))).code).toBe('BODY_TOO_LARGE');
  });

  it('takes 100 levels of nesting, whatever the texts have, and no more', () => {
    const nested = (levels: number) => `{"a":${'['.repeat(levels - 1)}"]]\\"[[{"${']'.repeat(levels - 1)}}`;
    expect(() => parse(nested(100))).not.toThrow();
    expect(refusal(() => parse(nested(101)))).toMatchObject({
      code: 'MALFORMED_JSON',
      message: 'The body is not valid JSON: more than 100 levels of nesting at position 104',
    });
    expect(parse(`[${'[],'.repeat(200)}"${'['.repeat(200)}"]`)).toHaveLength(201);
  });

  it('refuses bytes that are not UTF-8', () => {
    const error = refusal(() => parseJson(Uint8Array.of(0x22, 0xff, 0x22)));
    expect(error).toMatchObject({ code: 'MALFORMED_JSON', message: 'The body is not valid UTF-8' });
  });
});

describe('readExactJson', () => {
  it('differs from JSON.parse in large whole numbers alone', () => {
    fc.assert(
      fc.property(fc.json({ stringUnit: 'binary' }), (text) => {
        expect(withoutBigints(readExactJson(text))).toBe(JSON.stringify(JSON.parse(text)));
      }),
    );
  });

  it('refuses what JSON.parse refuses', () => {
    const characters = fc.constantFrom(...'[]{}:,"\\ 01-.eEtrufalsn');
    fc.assert(
      fc.property(fc.string({ unit: characters, maxLength: 8 }), (text) => {
        const accepts = (read: (text: string) => unknown) => {
          try {
            read(text);
            return true;
          } catch {
            return false;
          }
        };
        expect(accepts(readExactJson)).toBe(accepts(JSON.parse));
      }),
      { numRuns: 5000 },
    );
  });
});
