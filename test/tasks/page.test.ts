import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { taskOptionsQuery } from '../../src/tasks/schemas.ts';
import { temporaryDatabase } from '../helpers/database.ts';
import { readPage } from '../helpers/page-examples.ts';
import { projectDir } from '../helpers/process.ts';
import { startReadyServer } from '../helpers/server.ts';
import { finishedTask, getJson, whenTasksAreReady } from '../helpers/tasks.ts';

const run = promisify(execFile);
const { text, examples } = readPage('docs/tasks.md');

describe('docs/tasks.md', () => {
  it('tells what its commands answer', async () => {
    await using database = await temporaryDatabase('embedded');
    await using server = await startReadyServer(database.environment);
    await whenTasksAreReady(server.address);
    expect(text.match(/^curl/gm)).toHaveLength(examples.length);
    for (const { command, answer } of examples) {
      const local = command.replaceAll('localhost:8080', new URL(server.address).host);
      const { stdout } = await run('bash', ['-c', local], { cwd: projectDir });
      const accepted = JSON.parse(stdout) as { id: string };
      expect(stdout.replaceAll(accepted.id, '…')).toBe(JSON.stringify(JSON.parse(answer)));
      expect(await finishedTask(server.address, accepted.id)).toMatchObject({ state: 'succeeded' });
      for (const [, path = ''] of text.matchAll(/^\| `GET (\/tasks[^`]*)`/gm)) {
        const found = await fetch(new URL(path.replace('{id}', accepted.id), server.address));
        expect(found.status, path).toBe(200);
        await found.text();
      }
    }
  });

  it('has every option with its default', () => {
    for (const [name, schema] of Object.entries(taskOptionsQuery.shape)) {
      const row = text.split('\n').find((line) => line.startsWith(`| \`${name}\``));
      expect(row, name).toBeDefined();
      const standard = schema.safeParse(undefined).data;
      if (standard !== undefined) expect(row, name).toContain(`| ${standard} |`);
    }
  });
});

it('the OpenAPI document has the routes of tasks, tagged and with their errors', async () => {
  await using database = await temporaryDatabase('embedded');
  await using server = await startReadyServer(database.environment);
  const { body } = await getJson(server.address, '/openapi.json');
  const { paths } = body as { paths: Record<string, Record<string, { tags: string[]; responses: object }>> };
  for (const path of ['/iris/tasks', '/models/{name}/tasks']) {
    expect(Object.keys(paths[path]?.['post']?.responses ?? {})).toEqual(
      expect.arrayContaining(['202', '400', '409', '413', '415', '422', '503']),
    );
  }
  for (const path of ['/tasks', '/tasks/{id}', '/tasks/{id}/result', '/tasks/{id}/events']) {
    expect(paths[path]?.['get']?.tags).toEqual(['tasks']);
  }
  expect(Object.keys(paths['/tasks/{id}']?.['delete']?.responses ?? {})).toEqual(
    expect.arrayContaining(['404', '409']),
  );
});
