import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseManifest } from '../src/models/manifest.ts';
import { readPage } from './helpers/page-examples.ts';
import { startReadyServer, type TestServer } from './helpers/server.ts';

const { text: page } = readPage('docs/batching.md');

let server: TestServer;

beforeAll(async () => {
  server = await startReadyServer();
});

afterAll(() => server.stop());

describe('docs/batching.md', () => {
  it('tells what GET /models answers', async () => {
    const [, answer = ''] = /beside much else:\n\n```json\n([^`]*)```/.exec(page) ?? [];
    const response = await fetch(new URL('/models/iris/versions/1', server.address));
    expect(await response.json()).toMatchObject(JSON.parse(answer));
  });

  it('shows a model.json that is one', () => {
    const [, manifest = ''] = /```json\n(\{ "warmup"[^`]*)```/.exec(page) ?? [];
    expect(parseManifest('model.json', manifest).warmup).toHaveLength(1);
  });

  it('has the defaults', () => {
    const { batching } = parseManifest('model.json', '{}');
    const named: Record<string, unknown> = { ...batching, maxSize: '–', enabled: '"auto"' };
    const keys = ['enabled', 'maxSize', 'maxDelayMs', 'maxQueueRows', 'maxQueueBytes', 'maxTokens', 'pad'];
    for (const key of keys) {
      expect(page.replaceAll('`', ''), key).toContain(`| ${key} | ${named[key]} |`);
    }
  });
});
