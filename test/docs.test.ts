import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { projectDir } from './helpers/process.ts';
import { startReadyServer, type TestServer } from './helpers/server.ts';

const run = promisify(execFile);
const page = readFileSync(new URL('../docs/protocols.md', import.meta.url), 'utf8');

const examples = [...page.matchAll(/```sh\n(curl[^`]*?)\n```\n\n```json\n([^`]*?)\n```/g)].map(
  ([, command = '', answer = '']) => ({ command, answer }),
);

let server: TestServer;

beforeAll(async () => {
  server = await startReadyServer({ DEFAULT_MODEL: 'iris' });
});

afterAll(() => server.stop());

/** The same numbers up to what another processor may round. */
function alike(value: unknown): unknown {
  if (typeof value === 'number') return expect.closeTo(value, 4);
  if (Array.isArray(value)) return value.map(alike);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, alike(member)]));
}

describe('docs/protocols.md', () => {
  it('shows an answer for every curl', () => {
    expect(examples.length).toBeGreaterThanOrEqual(6);
    expect(page.match(/^curl/gm)).toHaveLength(examples.length);
  });

  it.each(examples)('tells what $command answers', async ({ command, answer }) => {
    const local = command.replaceAll('localhost:8080', new URL(server.address).host);
    const { stdout } = await run('bash', ['-c', local], { cwd: projectDir });
    expect(JSON.parse(stdout)).toEqual(alike(JSON.parse(answer)));
  });
});
