import { afterAll, beforeAll, expect, test } from 'vitest';
import { writeTinyTexts } from '../../faces/tiny-texts.ts';
import { type TemporaryFolder, temporaryFolder } from '../../helpers/folder.ts';
import { postJson, startReadyServer, type TestServer } from '../../helpers/server.ts';

let folder: TemporaryFolder;
let server: TestServer;

beforeAll(async () => {
  folder = await temporaryFolder();
  await writeTinyTexts(folder.path);
  server = await startReadyServer({ MODELS_DIR: folder.path, TEI_ROUTES: '1' });
});

afterAll(async () => {
  await server.stop();
  await folder[Symbol.asyncDispose]();
});

const post = async (path: string, body: unknown) => {
  const { status, body: answer } = await postJson(server.address, path, body);
  return [status, answer];
};

test('POST /embed answers a vector for each text', async () => {
  expect(await post('/embed', { inputs: 'cats meow', normalize: false })).toEqual([200, [[3.75, 16.25]]]);
  const length = Math.hypot(3.75, 16.25);
  expect(await post('/embed', { inputs: ['cats meow'] })).toEqual([
    200,
    [[expect.closeTo(3.75 / length, 6), expect.closeTo(16.25 / length, 6)]],
  ]);
});

test('POST /rerank answers scores, the best first', async () => {
  const request = { query: 'dogs', texts: ['cats', 'bark'], raw_scores: true };
  expect(await post('/rerank', { ...request, return_text: true })).toEqual([
    200,
    [
      { index: 1, score: 20, text: 'bark' },
      { index: 0, score: 17, text: 'cats' },
    ],
  ]);
});

test('too long a text is refused unless it may be cut', async () => {
  const inputs = 'cats '.repeat(40);
  expect(await post('/embed', { inputs })).toEqual([
    422,
    { error: 'The text has 42 tokens, expected at most 32', error_type: 'Validation' },
  ]);
  expect((await post('/embed', { inputs, truncate: true }))[0]).toBe(200);
});

test('without the setting there are no such routes', async () => {
  await using other = await startReadyServer({ MODELS_DIR: folder.path });
  expect((await postJson(other.address, '/embed', { inputs: 'x' })).status).toBe(404);
});
