import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { writeFaceModels } from '../faces/write-face-models.ts';
import { type TemporaryFolder, temporaryFolder } from '../helpers/folder.ts';
import { expectAnswer, readPage } from '../helpers/page-examples.ts';
import { projectDir, startProcess } from '../helpers/process.ts';
import { postJson } from '../helpers/server.ts';

const { examples } = readPage('docs/domains.md');
const own = examples.filter(({ command }) => /\/(?:hue|tone)\//.test(command));

let folder: TemporaryFolder;
let domains: string;

beforeAll(async () => {
  folder = await temporaryFolder();
  await writeFaceModels(folder.path);
  const text = await readFile(join(projectDir, 'docs/examples/mixed/domains.js'), 'utf8');
  domains = join(folder.path, 'domains.mjs');
  await writeFile(domains, text.replace("'inferd'", `'${join(projectDir, 'src/index.ts')}'`));
});

afterAll(() => folder[Symbol.asyncDispose]());

describe('the domains of docs/domains.md that are made of pieces of faces', () => {
  it('answer as the page says, name what is at fault, and let the server end', async () => {
    await using server = await startProcess({ MODELS_DIR: folder.path }, 'serve', ['--domains', domains]);
    expect(own).toHaveLength(2);
    for (const example of own) await expectAnswer(example, server.address);
    const instances = [
      { title: 'bad', review: 'a film' },
      { title: 'good '.repeat(40), review: 'film' },
    ];
    const refused = await postJson(server.address, '/tone/predict/batch', { instances });
    expect(refused).toMatchObject({ status: 422, body: { code: 'TEXT_TOO_LONG' } });
    expect(JSON.stringify(refused.body)).toContain('["body","instances",1');
    server.child.kill('SIGTERM');
    expect(await server.exit).toEqual([0, null]);
  });
});
