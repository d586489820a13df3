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
    expect(examples.length).toBeGreaterThanOrEqual(7);
    expect(readme.match(/^curl/gm)).toHaveLength(examples.length);
  });

  it.each(examples)('tells what $command answers', (example) => expectAnswer(example, server.address));
});
