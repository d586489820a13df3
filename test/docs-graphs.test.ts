import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { writeGraph, writeMembers } from './graphs/write-graph-models.ts';
import { type TemporaryFolder, temporaryFolder } from './helpers/folder.ts';
import { expectAnswer, readPage } from './helpers/page-examples.ts';
import { startReadyServer, type TestServer } from './helpers/server.ts';

const { text: page, examples } = readPage('docs/graphs.md');
const graphs = [...page.matchAll(/^`models\/([a-z]+)\/1\/graph\.json`\n\n```json\n([^`]*?)\n```$/gm)].map(
  ([, name = '', graph = '']) => ({ name, graph }),
);

const manifests = [...page.matchAll(/^`models\/([a-z]+)\/model\.json`\n\n```json\n([^`]*?)\n```$/gm)].map(
  ([, name = '', manifest = '']) => ({ name, manifest }),
);

let folder: TemporaryFolder;
let server: TestServer;

beforeAll(async () => {
  folder = await temporaryFolder();
  await writeMembers(folder.path);
  for (const { name, graph } of graphs) await writeGraph(folder.path, name, graph);
  for (const { name, manifest } of manifests) await writeFile(join(folder.path, name, 'model.json'), manifest);
  server = await startReadyServer({ MODELS_DIR: folder.path });
});

afterAll(async () => {
  await server.stop();
  await folder[Symbol.asyncDispose]();
});

describe('docs/graphs.md', () => {
  test.each(examples)('$command', (example) => expectAnswer(example, server.address));

  test.each(graphs)('$name is a graph that serves', async ({ name }) => {
    const response = await fetch(new URL(`/models/${name}`, server.address));
    expect(await response.json()).toMatchObject({ state: 'READY', versions: [{ kind: 'graph' }] });
  });
});
