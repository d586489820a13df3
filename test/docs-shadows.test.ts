import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { writeModel } from './faces/classifier-model.ts';
import { classifier } from './graphs/write-graph-models.ts';
import { type TestDatabase, temporaryDatabase } from './helpers/database.ts';
import { type TemporaryFolder, temporaryFolder } from './helpers/folder.ts';
import { expectAnswer, readPage } from './helpers/page-examples.ts';
import { scrape } from './helpers/scrape.ts';
import { startReadyServer, type TestServer } from './helpers/server.ts';

const { text: page } = readPage('docs/shadows.md');
const examples = [...page.matchAll(/```sh\n([^`]*?)\n```\n\n```json\n([^`]*?)\n```/g)].map(
  ([, command = '', answer = '']) => ({ command, answer }),
);

let database: TestDatabase;
let folder: TemporaryFolder;
let server: TestServer;

beforeAll(async () => {
  database = await temporaryDatabase('embedded');
  folder = await temporaryFolder();
  const [, manifest = ''] = /^`models\/net\/model\.json`\n\n```json\n([^`]*?)\n```$/m.exec(page) ?? [];
  await writeModel(folder.path, 'net', classifier([1, 0, 0, 1]));
  await writeModel(folder.path, 'net', classifier([2, 0, 0, 1]), { version: '2' });
  await writeFile(join(folder.path, 'net', 'model.json'), manifest);
  server = await startReadyServer({ ...database.environment, MODELS_DIR: folder.path });
  await server.storage?.whenReady();
});

afterAll(async () => {
  await server.stop();
  await folder[Symbol.asyncDispose]();
  await database[Symbol.asyncDispose]();
});

describe('docs/shadows.md', () => {
  test('shows what its commands answer', async () => {
    expect(examples).toHaveLength(3);
    const [first, ...others] = examples;
    if (first !== undefined) await expectAnswer(first, server.address);
    const disagreed = { model: 'net', version: '2', outcome: 'disagree' };
    await expect.poll(async () => (await scrape(server.address)).value('inferd_shadow_total', disagreed)).toBe(1);
    for (const example of others) await expectAnswer(example, server.address);
  });
});
