import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { inferd } from '../helpers/command.ts';
import { databaseKinds, temporaryDatabase } from '../helpers/database.ts';
import { temporaryFolder, temporaryRepository } from '../helpers/folder.ts';
import { startProcess } from '../helpers/process.ts';
import { postJson } from '../helpers/server.ts';
import { finishedTask, getJson, submitTask, whenTasksAreReady } from '../helpers/tasks.ts';

const sources = new URL('../../src', import.meta.url).pathname;
const petals = ['--domains', 'test/fixtures/petals.ts'];

describe('inferd serve --domains', () => {
  it('serves the domains of a module in TypeScript', async () => {
    await using server = await startProcess({}, 'serve', petals);
    const { body } = await postJson(server.address, '/petals/predict', { length: 1.4, width: 0.2 });
    expect(body).toEqual({ setosa: true });
    expect((await postJson(server.address, '/titanic/predict', {})).status).toBe(404);
  });

  it('takes one domain or several, in JavaScript', async () => {
    await using folder = await temporaryFolder();
    const list = `import { petals } from '${sources}/../test/fixtures/petals.ts';
      export default [petals, { ...petals, name: 'leaves' }];`;
    await writeFile(join(folder.path, 'list.mjs'), list);
    await using server = await startProcess({}, 'serve', ['--domains', join(folder.path, 'list.mjs')]);
    for (const name of ['petals', 'leaves']) {
      expect((await postJson(server.address, `/${name}/predict`, { length: 5, width: 2 })).body).toEqual({
        setosa: false,
      });
    }
  });

  const modules: readonly [what: string, text: string, message: string][] = [
    [
      'a module without a default export',
      'export const petals = 1;',
      'own.ts has no default export, expected a domain of',
    ],
    ['an empty list', 'export default [];', 'own.ts exports no domain, expected a domain of'],
    [
      'a list of something else',
      'export default [7];',
      'own.ts: number 1 is no domain: received number, expected what',
    ],
    [
      'an object that lacks members',
      'export default { name: "own", model: "iris" };',
      'own.ts: "own" is no domain: summary: received undefined, expected text; input: received undefined, expected one of zod 4',
    ],
    ['a module that cannot be read', 'export default [;', 'own.ts cannot be loaded: '],
    ['a module that throws', 'throw new Error("no labels");', 'cannot be loaded: Error: no labels\n    at '],
    ['TypeScript that is more than types', 'enum Kind { A }\nexport default [Kind.A];', 'own.ts cannot be loaded: '],
    ['an import that is missing', 'import "not-there";', "Cannot find package 'not-there'"],
  ];
  it.each(modules)('refuses %s', async (_what, text, message) => {
    await using folder = await temporaryFolder();
    const file = join(folder.path, 'own.ts');
    await writeFile(file, text);
    for (const command of ['serve', 'worker']) {
      const { code, errors } = await inferd([command, '--domains', file], {
        DATABASE_URL: 'postgres://localhost/none',
      });
      expect({ command, code, errors }).toEqual({ command, code: 1, errors: expect.stringContaining(message) });
      expect(errors).toContain(`inferd: ${folder.path}`);
    }
  });

  it('refuses a file that is not there, and a folder', async () => {
    await using folder = await temporaryFolder();
    await mkdir(join(folder.path, 'domains'));
    const missing = await inferd(['serve', '--domains', 'not-there.ts'], {});
    expect(missing).toMatchObject({
      code: 1,
      errors: expect.stringMatching(/^inferd: not-there.ts: there is no such file in \//),
    });
    const directory = await inferd(['serve', '--domains', join(folder.path, 'domains')], {});
    expect(directory).toMatchObject({ code: 1, errors: expect.stringContaining('cannot be loaded: ') });
  });
});

describe.each(databaseKinds.filter((kind) => kind === 'postgres'))('inferd worker --domains with %s', (kind) => {
  it('does the tasks of the domains of a module', async () => {
    await using database = await temporaryDatabase(kind);
    await using repository = await temporaryRepository('iris');
    const environment = { MODELS_DIR: repository.path, ...database.environment };
    await using server = await startProcess({ ...environment, TASK_CONCURRENCY: '0' }, 'serve', petals);
    await using _worker = await startProcess(environment, 'worker', petals);
    await whenTasksAreReady(server.address);
    const id = await submitTask(server.address, '/petals/tasks', { length: 1.4, width: 0.2 });
    expect(await finishedTask(server.address, id)).toMatchObject({ state: 'succeeded' });
    expect((await getJson(server.address, `/tasks/${id}/result`)).body).toEqual({ setosa: true });
  });
});
