import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { describeFiles, isWhole, type KeepingRules, keptJson } from '../../src/predictions/recording/kept-value.ts';

const rules: KeepingRules = { redact: new Set(), keepsFiles: false, maxBytes: 10_000 };
const keep = async (value: unknown, changes: Partial<KeepingRules> = {}, describe = (_file: Uint8Array) => ({})) =>
  JSON.parse(keptJson(value, { ...rules, ...changes }, await describeFiles(value, describe)));

describe('a value that is kept', () => {
  it('stays as it is when nothing is to be hidden', async () => {
    await fc.assert(
      fc.asyncProperty(fc.jsonValue(), async (value) => {
        expect(await keep(value)).toEqual(value);
        expect(await keep(value, { redact: new Set(['no such field']) })).toEqual(value);
      }),
    );
  });

  it('keeps every digit, and the sign of zero', () => {
    const value = { id: 9007199254740993n, shift: [-0, 0, -1.5] };
    const text = '{"id":9007199254740993,"shift":[-0.0,0,-1.5]}';
    expect(keptJson(value, rules)).toBe(text);
    expect(keptJson(value, { ...rules, redact: new Set(['none']) })).toBe(text);
  });

  it('has no redacted field, wherever it stands', async () => {
    const value = { name: 'Ann', age: 3, home: [{ name: { first: 'Ann' }, zip: 1 }] };
    const kept = await keep(value, { redact: new Set(['name']) });
    expect(kept).toEqual({ name: '[redacted]', age: 3, home: [{ name: '[redacted]', zip: 1 }] });
    expect(isWhole(kept)).toBe(false);
  });

  it('has the size, the digest and the description of a file instead of the file', async () => {
    const image = new Uint8Array([1, 2, 3]);
    const sha256 = createHash('sha256').update(image).digest('hex');
    const kept = await keep({ image }, {}, () => ({ width: 7 }));
    expect(kept).toEqual({ image: { file: { bytes: 3, sha256, width: 7 } } });
    expect(isWhole(kept)).toBe(false);
  });

  it('has the file in base64 when files are kept, unless it is too large', async () => {
    const image = new Uint8Array([1, 2, 3]);
    const kept = await keep({ image }, { keepsFiles: true });
    expect(kept).toEqual({ image: 'AQID' });
    expect(isWhole(kept)).toBe(true);
    const large = await keep({ image: new Uint8Array(2000) }, { keepsFiles: true, maxBytes: 1000 });
    expect(large).toEqual({ omitted: { bytes: 2000 } });
  });

  it('is left out with its size when it is too long', async () => {
    const kept = await keep({ text: 'x'.repeat(2000) }, { maxBytes: 1000 });
    expect(kept).toEqual({ omitted: { bytes: 2011 } });
    expect(isWhole(kept)).toBe(false);
  });

  it('has U+FFFD for what a database cannot keep, and everything else as it was', () => {
    const text = keptJson({ text: 'a\u0000b\ud800c \\u0000 \\\u0000 😀' }, rules);
    expect(text).not.toMatch(/(?<!\\)(\\\\)*\\u0000/);
    expect(JSON.parse(text)).toEqual({ text: 'a\ufffdb\ufffdc \\u0000 \\\ufffd 😀' });
  });
});
