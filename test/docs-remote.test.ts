import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { writeGraph, writeMembers } from './graphs/write-graph-models.ts';
import { writeRemote } from './graphs/write-remote.ts';
import { type TemporaryFolder, temporaryFolder } from './helpers/folder.ts';
import { expectAnswer, readPage } from './helpers/page-examples.ts';
import { startReadyServer, type TestServer } from './helpers/server.ts';

const { text: page, examples } = readPage('docs/remote.md');
const files = [...page.matchAll(/^`models\/([a-z-]+)\/1\/(graph|remote)\.json`\n\n```json\n([^`]*?)\n```$/gm)].map(
  ([, name = '', kind = '', content = '']) => ({ name, kind, content }),
);

let folders: TemporaryFolder[];
let preprocessing: TestServer;
let server: TestServer;

beforeAll(async () => {
  folders = [await temporaryFolder(), await temporaryFolder()];
  const [there = '', here = ''] = folders.map(({ path }) => path);
  await writeMembers(there);
  await writeMembers(here);
  preprocessing = await startReadyServer({ MODELS_DIR: there });
  for (const { name, kind, content } of files) {
    // The page names a machine that a test does not have.
    const local = content.replace('http://gpu-1:8080', preprocessing.address);
    if (kind === 'graph') await writeGraph(here, name, local);
    else await writeRemote(here, name, local);
  }
  server = await startReadyServer({ MODELS_DIR: here });
});

afterAll(async () => {
  await server.stop();
  await preprocessing.stop();
  for (const folder of folders) await folder[Symbol.asyncDispose]();
});

describe('docs/remote.md', () => {
  test.each(examples)('$command', (example) => expectAnswer(example, server.address));

  test.each(files)('$name is a $kind that serves', async ({ name, kind }) => {
    const response = await fetch(new URL(`/models/${name}`, server.address));
    expect(await response.json()).toMatchObject({ state: 'READY', versions: [{ kind }] });
  });

  test('has an example of each kind', () => {
    expect(examples).toHaveLength(2);
    expect(files.map(({ kind }) => kind)).toEqual(['remote', 'graph']);
  });
});
