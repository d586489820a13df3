import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { toCodes } from '../../src/domains/sentiment/normalize-text.ts';
import { postJson, startReadyServer, type TestServer } from '../helpers/server.ts';

interface Fixture {
  readonly model: string;
  readonly cases: readonly { readonly instance: object; readonly expected: Record<string, unknown> }[];
}

let server: TestServer;

beforeAll(async () => {
  server = await startReadyServer();
});

afterAll(() => server.stop());

const fixture = (name: string): Fixture =>
  JSON.parse(readFileSync(new URL(`../fixtures/${name}.json`, import.meta.url), 'utf8'));

/** The same numbers up to what float32 and the order of sums allow. */
function closeTo(expected: unknown): unknown {
  if (typeof expected === 'number') return expect.closeTo(expected, 4);
  if (typeof expected !== 'object' || expected === null) return expected;
  return Object.fromEntries(Object.entries(expected).map(([key, value]) => [key, closeTo(value)]));
}

describe.each(['iris', 'titanic'])('%s', (name) => {
  const { cases } = fixture(name);

  it.each(cases)('answers case $# of the training fixture as the training did', async ({ instance, expected }) => {
    const { status, body } = await postJson(server.address, `/${name}/predict`, instance);
    expect(status).toBe(200);
    expect(body).toMatchObject(closeTo(expected) as object);
  });

  it('answers all of them as a batch, in order', async () => {
    const instances = cases.map(({ instance }) => instance);
    const { status, body } = await postJson(server.address, `/${name}/predict/batch`, { instances });
    expect(status).toBe(200);
    expect(body).toMatchObject({ predictions: cases.map(({ expected }) => closeTo(expected)) });
  });
});

describe('sentiment', () => {
  const { cases } = JSON.parse(readFileSync(new URL('../fixtures/sentiment.json', import.meta.url), 'utf8')) as {
    cases: { text: string; codes: number[]; expected: { probability: number } }[];
  };

  it.each(cases)('turns the text of case $# into the code points that the training did', ({ text, codes }) => {
    expect(toCodes(text)).toEqual(codes);
  });

  it.each(cases.filter(({ text }) => text.trim() !== ''))('answers case $# as the training did', async (one) => {
    const { status, body } = await postJson(server.address, '/sentiment/predict', { text: one.text });
    const positive = one.expected.probability;
    expect(status).toBe(200);
    expect(body).toMatchObject({
      label: positive >= 0.5 ? 'positive' : 'negative',
      probability: expect.closeTo(Math.max(positive, 1 - positive), 4),
    });
  });

  it('tells Korean from English', async () => {
    const language = async (text: string) => (await postJson(server.address, '/sentiment/predict', { text })).body;
    expect(await language('이 영화 추천해요')).toMatchObject({ language: 'ko' });
    expect(await language('I recommend this film')).toMatchObject({ language: 'en' });
  });
});
