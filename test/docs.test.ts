import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { expectAnswer, readPage } from './helpers/page-examples.ts';
import { startReadyServer, type TestServer } from './helpers/server.ts';

const { text: page, examples } = readPage('docs/protocols.md');

let server: TestServer;

beforeAll(async () => {
  server = await startReadyServer({ DEFAULT_MODEL: 'iris' });
});

afterAll(() => server.stop());

describe('docs/protocols.md', () => {
  it('shows an answer for every curl', () => {
    expect(examples.length).toBeGreaterThanOrEqual(6);
    expect(page.match(/^curl/gm)).toHaveLength(examples.length);
  });

  it.each(examples)('tells what $command answers', (example) => expectAnswer(example, server.address));
});
