import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { parseManifest } from '../src/models/manifest.ts';
import { cachedRepository } from './helpers/cached-model.ts';
import { projectDir } from './helpers/process.ts';
import { startReadyServer } from './helpers/server.ts';

const page = readFileSync(new URL('../docs/cache.md', import.meta.url), 'utf8');
const [, manifest = ''] = /^`models\/iris\/model\.json`\n\n```json\n([^`]*?)\n```$/m.exec(page) ?? [];
const [, command = ''] = /```sh\n(curl[^`]*?)\n```/.exec(page) ?? [];
const answers = [...page.matchAll(/```\n(HTTP[^`]*?)\n```/g)].map(([, answer = '']) => answer);

/** The line of the status and that of the cache. */
const headOf = (reply: string) =>
  reply
    .split(/\r?\n/)
    .filter((line) => /^(HTTP|cache-status)/.test(line))
    .join('\n')
    .replace(/ttl=(29\d|300)$/, 'ttl=299');

it('docs/cache.md shows a miss and then a hit, and the defaults', async () => {
  const { cache } = parseManifest('model.json', manifest);
  expect(parseManifest('model.json', '{"cache": {}}').cache).toEqual(cache);
  await using repository = await cachedRepository(JSON.parse(manifest).cache, 'iris');
  await using server = await startReadyServer({ MODELS_DIR: repository.path });
  const local = command.replaceAll('localhost:8080', new URL(server.address).host);
  expect(answers).toHaveLength(2);
  for (const answer of answers) {
    const { stdout } = await promisify(execFile)('bash', ['-c', local], { cwd: projectDir });
    expect(headOf(stdout)).toBe(answer);
  }
});
