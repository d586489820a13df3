import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { describe, expect, it } from 'vitest';
import { createPictureDecoder } from '../../../src/domains/digits/decode-picture.ts';
import { digitSidePx, normaliseDigit } from '../../../src/domains/digits/normalise-digit.ts';

interface Case {
  readonly name: string;
  readonly label: number | null;
  readonly png: string;
  readonly digit: string;
}

const root = join(import.meta.dirname, '../../..');
const cases: Case[] = JSON.parse(readFileSync(join(root, 'test/fixtures/digit-pictures.json'), 'utf8'));

async function normalise(png: string): Promise<Uint8Array> {
  return normaliseDigit(await createPictureDecoder()(Buffer.from(png, 'base64')));
}

describe('a picture of a digit', () => {
  it.each(cases)('becomes the bytes that Python computes: $name', async ({ png, digit }) => {
    const expected = Buffer.from(digit, 'base64');
    expect(Buffer.from(await normalise(png)).equals(expected)).toBe(true);
  });

  it('is recognised however it is drawn', async () => {
    const digits = cases.filter(({ label }) => label !== null);
    const rows = await Promise.all(digits.map(({ png }) => normalise(png)));
    const session = await InferenceSession.create(join(root, 'models/digits/1/model.onnx'));
    const image = new Tensor('uint8', Buffer.concat(rows), [rows.length, digitSidePx, digitSidePx]);
    const { digit, probabilities } = await session.run({ image });
    await session.release();

    expect(Array.from(digit?.data ?? [], Number)).toEqual(digits.map(({ label }) => label));
    expect(probabilities?.dims).toEqual([rows.length, 10]);
  });
});
