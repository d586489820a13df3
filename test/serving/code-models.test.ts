import { mkdir, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { scanRepository } from '../../src/models/repository/repository.ts';
import { type TemporaryFolder, temporaryFolder } from '../helpers/folder.ts';
import { expectAnswer, readPage } from '../helpers/page-examples.ts';
import { postJson, startReadyServer, type TestServer } from '../helpers/server.ts';

/** As the page has it. */
const { text: page, examples } = readPage('docs/code-models.md');
const [, documented = ''] = /```ts\n([^`]*)```/.exec(page) ?? [];

const words = `
import { separator } from './words.ts';

export const inputs = [{ name: 'text', datatype: 'BYTES', shape: ['n', 1] }];
export const outputs = [{ name: 'words', datatype: 'INT64', shape: ['n'] }];

export function run({ text }, { rows }) {
  const counts = text.data.map((one) => BigInt(one.split(separator).filter(Boolean).length));
  return { words: { shape: [rows], data: BigInt64Array.from(counts) } };
}
`;

/** Does what its input says, and tells what came of it. */
const probe = `
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { Worker } from 'node:worker_threads';

export const inputs = [{ name: 'do', datatype: 'BYTES', shape: [1] }];
export const outputs = [{ name: 'came', datatype: 'BYTES', shape: [1] }];

const attempts = {
  read: () => readFileSync('/etc/passwd', 'utf8'),
  write: () => writeFileSync(new URL('./written', import.meta.url), 'x'),
  fork: () => String(spawnSync('id').error ?? 'spawned'),
  thread: () => new Worker('1', { eval: true }),
  evaluate: () => eval('1 + 1'),
  native: () => process.dlopen({ exports: {} }, '/nothing.node'),
  environment: () => JSON.stringify(process.env),
  own: () => readFileSync(new URL(import.meta.url), 'utf8').slice(0, 1),
  connect: (port) =>
    new Promise((resolve, reject) => connect(Number(port), '127.0.0.1').once('connect', () => resolve('connected')).once('error', reject)),
  fetch: async (port) => (await fetch('http://127.0.0.1:' + port)).status,
  loop: () => { for (;;); },
  grow: () => { const all = []; for (;;) all.push(new Array(1e6).fill('x')); },
  throw: () => { throw new Error('no idea'); },
  shape: () => ({ came: { shape: [2], data: ['a', 'b'] } }),
  type: () => ({ came: { shape: [1], data: new Float32Array(1) } }),
  nothing: () => ({}),
};

export async function run(tensors) {
  const [what, argument] = tensors.do.data[0].split(' ');
  if (['throw', 'shape', 'type', 'nothing'].includes(what)) return attempts[what]();
  try {
    return { came: { shape: [1], data: ['done: ' + (await attempts[what]?.(argument))] } };
  } catch (error) {
    return { came: { shape: [1], data: [String(error.code ?? error.cause?.code ?? error.message)] } };
  }
}
`;

async function write(folder: string, path: string, text: string): Promise<void> {
  await mkdir(dirname(join(folder, path)), { recursive: true });
  await writeFile(join(folder, path), text);
}

let folder: TemporaryFolder;
let server: TestServer;

beforeAll(async () => {
  folder = await temporaryFolder();
  await write(folder.path, 'words/1/model.ts', documented);
  await write(folder.path, 'split/1/model.ts', words);
  await write(folder.path, 'split/1/words.ts', 'export const separator: RegExp = /\\s+/;\n');
  await write(folder.path, 'probe/1/model.ts', probe);
  await write(folder.path, 'probe/model.json', JSON.stringify({ timeoutMs: 1500, memoryLimitMb: 64 }));
  await write(
    folder.path,
    'broken/1/model.ts',
    'export const inputs = [{ name: "x", datatype: "FP99", shape: [1] }];\n',
  );
  server = await startReadyServer({ MODELS_DIR: folder.path, ALLOW_CODE_MODELS: '1', SECRET_OF_TEST: 'secret' });
});

afterAll(async () => {
  await server.stop();
  await folder[Symbol.asyncDispose]();
});

const ask = (what: string) => postJson(server.address, '/models/probe/predict', { do: [what] });

async function expectWell(): Promise<void> {
  const answer = await postJson(server.address, '/models/split/predict', { text: [['a b c'], [''], ['one two']] });
  expect(answer).toMatchObject({ status: 200, body: { words: [3, 0, 2] } });
}

describe('docs/code-models.md', () => {
  test.each(examples)('$command', (example) => expectAnswer(example, server.address));
});

describe('a model of own code', () => {
  test('is served as any other, and imports what is beside it', async () => {
    await expectWell();
    const response = await fetch(new URL('/models/words', server.address));
    expect(await response.json()).toMatchObject({
      state: 'READY',
      versions: [{ kind: 'code', independent_rows: false }],
    });
  });

  test('is UNAVAILABLE with what is wrong with it', async () => {
    const response = await fetch(new URL('/models/broken', server.address));
    expect(await response.json()).toMatchObject({
      state: 'UNAVAILABLE',
      reason: expect.stringContaining('model.ts: inputs[0].datatype: expected one of'),
    });
  });

  test('may read its folder', async () => {
    expect((await ask('own')).body).toEqual({ came: ['done: \n'] });
  });

  test.each(['read', 'write', 'thread', 'native'])('may not %s', async (what) => {
    expect((await ask(what)).body).toEqual({ came: [expect.stringMatching(/ERR_ACCESS_DENIED|ERR_DLOPEN_DISABLED/)] });
  });

  test('may not start a process', async () => {
    expect((await ask('fork')).body).toEqual({ came: [expect.stringContaining('ERR_ACCESS_DENIED')] });
  });

  test('may not make code of texts', async () => {
    expect((await ask('evaluate')).body).toEqual({ came: [expect.stringContaining('Code generation')] });
  });

  test('has nothing in its environment', async () => {
    expect((await ask('environment')).body).toEqual({ came: ['done: {}'] });
  });

  test.each(['connect', 'fetch'])('may not reach the network: %s', async (what) => {
    await using listening = createServer();
    let connections = 0;
    listening.on('connection', (socket) => {
      connections += 1;
      socket.destroy();
    });
    await new Promise<void>((resolve) => listening.listen(0, '127.0.0.1', resolve));
    const address = listening.address();
    const port = typeof address === 'object' ? address?.port : undefined;
    expect((await ask(`${what} ${port}`)).body).toEqual({ came: [expect.stringContaining('ERR_ACCESS_DENIED')] });
    expect(connections).toBe(0);
  });

  test.each([
    ['throw', 'no idea'],
    ['shape', 'output \\"came\\" has the shape [2]; expected [1]'],
    ['type', 'output \\"came\\" has other data than a list of texts'],
    ['nothing', 'run gives no output \\"came\\"'],
  ])('that gives what it must not (%s) is a refusal that says so', async (what, message) => {
    const { status, body } = await ask(what);
    expect(status).toBe(422);
    expect(JSON.stringify(body)).toContain(message);
    await expectWell();
  });

  test('that never ends is killed at its deadline, and others do not notice', async () => {
    const answer = ask('loop');
    await expectWell();
    expect((await answer).status).toBe(504);
    await expect.poll(async () => (await ask('own')).status).toBe(200);
  });

  test('that takes all memory ends its own process alone', async () => {
    const { status } = await ask('grow');
    expect([422, 503, 504]).toContain(status);
    await expectWell();
  });
});

test('models of own code are off unless the server is told to run them', async () => {
  await using closed = await startReadyServer({ MODELS_DIR: folder.path });
  const { status, body } = await postJson(closed.address, '/models/words/predict', { text: [['a']] });
  expect({ status, body }).toMatchObject({
    status: 503,
    body: { detail: expect.stringContaining('ALLOW_CODE_MODELS') },
  });
});

test('models of own code are refused where the server wrote the files itself', async () => {
  const found = await scanRepository(folder.path, { ownedByServer: true });
  for (const model of found) expect(model).toMatchObject({ error: { code: 'CODE_MODELS_DISABLED' } });
});
