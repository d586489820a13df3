import { cp, mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, inject, it } from 'vitest';
import { databaseKinds, temporaryDatabase } from '../helpers/database.ts';
import { shippedModelsDir } from '../helpers/folder.ts';
import { expectAnswer, readPage } from '../helpers/page-examples.ts';
import { projectDir } from '../helpers/process.ts';
import { finishedTask, getJson, submitTask, whenTasksAreReady } from '../helpers/tasks.ts';
import { install, newProject, start } from './installation.ts';
import { succeed } from './run.ts';

const { examples } = readPage('docs/domains.md');

const packed = inject('packed');

/** An example as its reader has it: with its model, and inferd installed. */
async function newExample(name: string, model: string): Promise<string> {
  const folder = await newProject();
  await cp(join(projectDir, 'docs/examples', name), folder, { recursive: true });
  await mkdir(join(folder, 'models'));
  await cp(join(shippedModelsDir, model), join(folder, 'models', model), { recursive: true });
  await install(folder, packed);
  return folder;
}

/** What the Dockerfile of an example runs while it builds, and then as its program. */
async function readDockerfile(
  folder: string,
): Promise<{ readonly build: string; readonly command: readonly string[] }> {
  const lines = await readFile(join(folder, 'Dockerfile'), 'utf8');
  const [, build = ''] = /^RUN (.+)$/m.exec(lines) ?? [];
  const [, command = ''] = /^CMD (.+)$/m.exec(lines) ?? [];
  return { build, command: JSON.parse(command) };
}

it.each([
  ['flower', 'iris', 1],
  ['lifeboat', 'titanic', 2],
])('the example %s answers as docs/domains.md says, also as its container builds it', async (name, model, count) => {
  const folder = await newExample(name, model);
  const { scripts } = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8'));
  if (scripts.typecheck !== undefined) await succeed(folder, 'npm', ['run', 'typecheck']);
  const own = examples.filter(({ command }) => command.includes(`/${name}/`));
  expect(own).toHaveLength(count);
  const served = await start(folder, 'npm', ['start']);
  for (const example of own) await expectAnswer(example, served);

  const { build, command } = await readDockerfile(folder);
  const owner = process.getuid?.() === 0 ? build : build.replace('-o node ', '');
  // There need not be the user of the image here.
  await succeed(folder, 'sh', ['-c', owner.replace('-o node', '-o nobody')]);
  const [program = '', ...args] = command;
  const address = await start(folder, program === 'node' ? process.execPath : join(folder, program), args);
  for (const example of own) await expectAnswer(example, address);
});

it.each(databaseKinds.filter((kind) => kind === 'postgres'))(
  'the example flower has workers on one %s',
  async (kind) => {
    await using database = await temporaryDatabase(kind);
    const folder = await newExample('flower', 'iris');
    const environment = { ...database.environment };
    const address = await start(folder, 'npm', ['start'], { ...environment, TASK_CONCURRENCY: '0' });
    await start(folder, 'npm', ['run', 'worker'], environment);
    await whenTasksAreReady(address);
    const instance = { sepal: { length: 5.9, width: 3 }, petal: { length: 5.1, width: 1.8 } };
    const id = await submitTask(address, '/flower/tasks', instance);
    expect(await finishedTask(address, id)).toMatchObject({ state: 'succeeded' });
    expect((await getJson(address, `/tasks/${id}/result`)).body).toMatchObject({ species: 'virginica' });
  },
);
