import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { expectAnswer, readPage } from './helpers/page-examples.ts';
import { startReadyServer, type TestServer } from './helpers/server.ts';

const { text: readme, examples } = readPage('README.md');

let server: TestServer;

beforeAll(async () => {
  server = await startReadyServer();
});

afterAll(() => server.stop());

describe('the README', () => {
  it('shows an answer for every curl', () => {
    expect(examples.length).toBeGreaterThanOrEqual(8);
    expect(readme.match(/^curl/gm)).toHaveLength(examples.length);
  });

  it.each(examples)('tells what $command answers', (example) => expectAnswer(example, server.address));

  it('lists every setting with its default', () => {
    const settings = readFileSync(new URL('../.env.example', import.meta.url), 'utf8').matchAll(/^([A-Z_]+)=(.*)$/gm);
    for (const [, name = '', value = ''] of settings) {
      const row = readme.split('\n').find((line) => line.startsWith('|') && line.includes(`\`${name}\``));
      expect(row, name).toBeDefined();
      expect(row, name).toContain(value);
    }
  });
});
