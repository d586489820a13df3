import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parseManifest } from '../src/models/manifest.ts';
import { writeTinyReaders } from './faces/tiny-texts.ts';
import { writeFaceModels } from './faces/write-face-models.ts';
import { type TemporaryFolder, temporaryFolder } from './helpers/folder.ts';
import { expectAnswer, readPage } from './helpers/page-examples.ts';
import { startReadyServer, type TestServer } from './helpers/server.ts';

const { text: page, examples } = readPage('docs/faces.md');

let folder: TemporaryFolder;
let server: TestServer;

beforeAll(async () => {
  folder = await temporaryFolder();
  await writeFaceModels(folder.path);
  await writeTinyReaders(folder.path);
  server = await startReadyServer({ MODELS_DIR: folder.path });
});

afterAll(async () => {
  await server.stop();
  await folder[Symbol.asyncDispose]();
});

describe('docs/faces.md', () => {
  test.each(examples)('$command', (example) => expectAnswer(example, server.address));

  test('has an example of every kind that it lists', async () => {
    const listed = [...page.matchAll(/^\| \[`([a-z-]+)`\]/gm)].map(([, kind]) => kind);
    const { models } = (await (await fetch(new URL('/models', server.address))).json()) as {
      models: { versions: { face: { kind: string } }[] }[];
    };
    const shown = models.flatMap(({ versions }) => versions.map(({ face }) => face.kind));
    expect(shown.sort()).toEqual(listed.sort());
  });

  test('shows a model.json that is one', () => {
    const [, manifest = ''] = /```json\n(\{\n {2}"face"[^`]*)```/.exec(page) ?? [];
    expect(parseManifest('model.json', manifest).face).toMatchObject({ kind: 'table', target: 'survived' });
  });
});
