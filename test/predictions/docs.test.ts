import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type TestDatabase, temporaryDatabase } from '../helpers/database.ts';
import { temporaryFolder } from '../helpers/folder.ts';
import { projectDir } from '../helpers/process.ts';
import { startReadyServer, type TestServer } from '../helpers/server.ts';

const run = promisify(execFile);
const page = readFileSync(new URL('../../docs/predictions.md', import.meta.url), 'utf8');
const withAnswers = [...page.matchAll(/```sh\n([^`]*?)\n```\n\n```json\n([^`]*?)\n```/g)];
const commands = [...page.matchAll(/```sh\n([^`]*?)\n```/g)].map(([, command = '']) => command);

let database: TestDatabase;
let server: TestServer;

beforeAll(async () => {
  database = await temporaryDatabase('embedded');
  server = await startReadyServer(database.environment);
  await server.storage?.whenReady();
});

afterAll(async () => {
  await server.stop();
  await database[Symbol.asyncDispose]();
});

const bash = (command: string, cwd: string) => {
  const local = command
    .replaceAll('localhost:8080', new URL(server.address).host)
    .replaceAll('npx inferd', `node ${projectDir}/src/main.ts`);
  const env = { ...process.env, PATH: `${projectDir}/node_modules/.bin:${process.env['PATH']}` };
  return run('bash', ['-c', local], { cwd, env });
};

describe('docs/predictions.md', () => {
  it('shows what its commands answer', async () => {
    expect(withAnswers).toHaveLength(2);
    for (const [, command = '', answer = ''] of withAnswers) {
      const { stdout } = await bash(command, projectDir);
      expect(JSON.parse(stdout), command).toEqual(alike(JSON.parse(answer)));
    }
  });

  it('exports what it says', async () => {
    await using folder = await temporaryFolder();
    const command = commands.find((one) => one.includes('format=parquet')) ?? '';
    await bash(command, folder.path);
    expect(readFileSync(`${folder.path}/titanic.parquet`).subarray(0, 4).toString()).toBe('PAR1');
  });

  it('has commands whose options there are', async () => {
    const cli = commands.filter((command) => command.startsWith('npx inferd'));
    expect(cli).toHaveLength(2);
    for (const command of cli) {
      const help = (await bash(`${command.split(' ').slice(0, 3).join(' ')} --help 2>&1 || true`, projectDir)).stdout;
      for (const [option = ''] of command.matchAll(/--[a-z-]+/g)) expect(help, option).toContain(option);
    }
  });

  it('has every setting with its default', () => {
    const settings = readFileSync(new URL('../../.env.example', import.meta.url), 'utf8');
    for (const [, name = '', value = ''] of settings.matchAll(/^(PREDICTIONS\w*)=(.*)$/gm)) {
      expect(page, name).toContain(`| \`${name}\` | ${value}`);
    }
  });
});

/** The same as the page, but for what is of the moment: ids, times and durations. */
function alike(value: unknown, name = ''): unknown {
  if (typeof value === 'number') return name.endsWith('_ms') ? expect.any(Number) : expect.closeTo(value, 3);
  if (typeof value === 'string') return likeText(value);
  if (Array.isArray(value)) return value.map((element) => alike(element));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, alike(member, key)]));
}

function likeText(text: string): unknown {
  const forms = [/^[0-9a-f]{8}-[0-9a-f-]{27}$/, /^\d{4}-\d\d-\d\dT[\d:.]+Z$/];
  const form = forms.find((candidate) => candidate.test(text));
  return form === undefined ? text : expect.stringMatching(form);
}
