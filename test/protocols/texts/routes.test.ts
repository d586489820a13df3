import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { shapeClassifier, writeModel } from '../../faces/classifier-model.ts';
import { writeTinyLookup, writeTinyTexts } from '../../faces/tiny-texts.ts';
import { type TemporaryFolder, temporaryFolder } from '../../helpers/folder.ts';
import { temporaryKeyFile } from '../../helpers/keys.ts';
import { postJson, startReadyServer, type TestServer } from '../../helpers/server.ts';

let folder: TemporaryFolder;
let server: TestServer;

beforeAll(async () => {
  folder = await temporaryFolder();
  await writeTinyTexts(folder.path);
  server = await startReadyServer({ MODELS_DIR: folder.path });
});

afterAll(async () => {
  await server.stop();
  await folder[Symbol.asyncDispose]();
});

const post = (path: string, body: unknown) => postJson(server.address, path, body);

/** Means of `[CLS] cats meow [SEP]`, whose ids are 2, 4, 6, 3. */
const cats = [15 / 4, (4 + 16 + 36 + 9) / 4];

describe('POST /v1/embeddings', () => {
  test('answers texts, and token ids, as OpenAI does', async () => {
    const { status, body, headers } = await post('/v1/embeddings', { input: ['cats meow', 'dogs'], model: 'embedder' });
    expect([status, body]).toEqual([
      200,
      {
        object: 'list',
        data: [
          { object: 'embedding', index: 0, embedding: cats },
          { object: 'embedding', index: 1, embedding: [Math.fround(10 / 3), Math.fround((4 + 25 + 9) / 3)] },
        ],
        model: 'embedder',
        usage: { prompt_tokens: 7, total_tokens: 7 },
      },
    ]);
    expect(headers.get('x-model-name')).toBe('embedder');
    for (const input of ['cats meow', [4, 6], [[4, 6]]]) {
      expect((await post('/v1/embeddings', { input })).body).toMatchObject({ data: [{ embedding: cats }] });
    }
  });

  test('answers many texts in their order, also by the route of the face', async () => {
    const texts = Array.from({ length: 1000 }, (_, index) => (index % 2 === 0 ? 'cats meow' : 'dogs'));
    const dogs = [Math.fround(10 / 3), Math.fround((4 + 25 + 9) / 3)];
    const expected = texts.map((_, index) => (index % 2 === 0 ? cats : dogs));
    const { body } = await post('/v1/embeddings', { input: texts, model: 'embedder' });
    expect(body).toEqual({
      object: 'list',
      data: expected.map((embedding, index) => ({ object: 'embedding', index, embedding })),
      model: 'embedder',
      usage: { prompt_tokens: 3500, total_tokens: 3500 },
    });
    const batch = await post('/embedder/predict/batch', { instances: texts.map((text) => ({ text })) });
    expect(batch.body).toMatchObject({ predictions: expected.map((embedding) => ({ embedding })) });
  });

  test('writes vectors in base64, and cuts them', async () => {
    const { body } = await post('/v1/embeddings', { input: 'cats meow', encoding_format: 'base64', user: 'someone' });
    const [{ embedding }] = (body as { data: [{ embedding: string }] }).data;
    const bytes = Buffer.from(embedding, 'base64');
    expect([bytes.readFloatLE(0), bytes.readFloatLE(4), bytes.length]).toEqual([...cats, 8]);
    expect((await post('/v1/embeddings', { input: 'cats meow', dimensions: 1 })).body).toMatchObject({
      data: [{ embedding: [cats[0]] }],
    });
  });

  test.each([
    [{ input: [] }, 400, 'validation_failed', 'input'],
    [{ input: [[4], []] }, 400, 'validation_failed', 'input'],
    [{ input: [4, -1] }, 400, 'validation_failed', 'input'],
    [{ input: ['x', [4]] }, 400, 'validation_failed', 'input'],
    // As 32 bits these would be 4.
    [{ input: [2 ** 32 + 4] }, 400, 'validation_failed', 'input'],
    [{ input: [[4], [2 ** 32 + 4]] }, 400, 'validation_failed', 'input'],
    [{ input: new Array(2049).fill('x') }, 400, 'validation_failed', 'input'],
    [{ input: new Array(2 ** 20 + 1).fill(4) }, 400, 'validation_failed', 'input'],
    [{ input: 'x', dimensions: 3 }, 400, 'dimensions_unsupported', 'dimensions'],
    [{ input: 'x', model: 'ranker' }, 404, 'face_not_found', null],
    [{}, 400, 'validation_failed', 'input'],
    ['{', 400, 'malformed_json', null],
  ])('answers %o with an error of OpenAI', async (request, status, code, param) => {
    const answer = await post('/v1/embeddings', request);
    expect(answer).toMatchObject({
      status,
      body: { error: { code, param, type: 'invalid_request_error', message: expect.any(String) } },
    });
  });
});

test('names the ids that the model does not know, and texts that are too long, by where they are in the input', async () => {
  await using models = await temporaryFolder();
  await writeTinyLookup(models.path);
  const own = await startReadyServer({ MODELS_DIR: models.path });
  try {
    const ask = (input: unknown) => postJson(own.address, '/v1/embeddings', { input });
    const refused = (param: string, code: string) => ({
      status: 400,
      body: { error: { param, code, type: 'invalid_request_error' } },
    });
    expect(await ask([[4], [5, 6]])).toMatchObject({ status: 200 });
    expect(await ask([4, 999_999])).toMatchObject(refused('input', 'model_refused_input'));
    expect(await ask([[4], [999_999], [5], [6]])).toMatchObject(refused('input.1', 'model_refused_input'));
  } finally {
    await own.stop();
  }
});

test.each([
  ['/v1/embeddings', { error: { message: 'The route takes POST, not GET', code: 'method_not_allowed', param: null } }],
  ['/v1/rerank', { message: 'The route takes POST, not GET' }],
  ['/v2/rerank?x=1', { message: 'The route takes POST, not GET' }],
])('a method that %s does not take is refused as its clients know it', async (path, expected) => {
  const response = await fetch(new URL(path, server.address));
  expect([response.status, response.headers.get('allow')]).toEqual([405, 'POST']);
  expect(await response.json()).toMatchObject(expected);
});

test.each([
  ['/v1/embeddings', { input: 'x' }, { error: { type: 'invalid_request_error', code: 'route_not_found' } }],
  ['/v1/rerank', { query: 'x', documents: ['y'] }, { message: 'No model has a face of the kind reranking' }],
  ['/v2/rerank', { query: 'x', documents: ['y'] }, { message: 'No model has a face of the kind reranking' }],
])('%s is not there as its clients know it where no model has such a face', async (path, request, expected) => {
  await using models = await temporaryFolder();
  await writeModel(models.path, 'shapes', shapeClassifier);
  const own = await startReadyServer({ MODELS_DIR: models.path });
  try {
    expect(await postJson(own.address, path, request)).toMatchObject({ status: 404, body: expected });
  } finally {
    await own.stop();
  }
});

describe.each(['/v1/rerank', '/v2/rerank'])('POST %s', (path) => {
  test('answers documents in the order of their relevance, as Cohere does', async () => {
    const documents = ['cats', { text: 'bark and sleep' }, 'dogs'];
    const { status, body } = await post(path, { query: 'dogs', documents, top_n: 2, return_documents: true });
    expect([status, body]).toEqual([
      200,
      {
        id: expect.any(String),
        model: 'ranker',
        results: [
          { index: 1, relevance_score: expect.closeTo(1, 6), document: { text: 'bark and sleep' } },
          { index: 2, relevance_score: expect.closeTo(1, 6), document: { text: 'dogs' } },
        ],
        meta: { billed_units: { search_units: 1 }, tokens: { input_tokens: 17 } },
        usage: { total_tokens: 17 },
      },
    ]);
  });

  test('reads so many tokens of a document', async () => {
    const request = { query: 'dogs', documents: ['cats bark and', 'dogs'], max_tokens_per_doc: 1 };
    expect((await post(path, request)).body).toMatchObject({ results: [{ index: 1 }, { index: 0 }] });
  });

  test('refuses no documents with a message', async () => {
    expect(await post(path, { query: 'dogs', documents: [] })).toMatchObject({
      status: 400,
      body: { message: expect.stringContaining('documents') },
    });
  });
});

test('a face answers under its own name what the routes of others answer', async () => {
  expect((await post('/embedder/predict', { text: 'cats meow' })).body).toEqual({
    embedding: cats,
    tokens: 4,
    truncated: false,
  });
  const ranked = await post('/ranker/predict', { query: 'dogs', documents: ['cats', 'bark'], raw_scores: true });
  expect(ranked.body).toMatchObject({
    results: [
      { index: 1, relevance_score: 20 },
      { index: 0, relevance_score: 17 },
    ],
  });
});

test('GET /v1/models is for clients of KServe and of OpenAI', async () => {
  expect(await (await fetch(new URL('/v1/models', server.address))).json()).toEqual({
    models: ['embedder', 'ranker'],
    object: 'list',
    data: ['embedder', 'ranker'].map((id) => ({
      id,
      object: 'model',
      created: expect.any(Number),
      owned_by: 'inferd',
    })),
  });
});

test('the routes are documented, and answer, only while a model has such a face', async () => {
  await using own = await temporaryFolder();
  await writeModel(own.path, 'shapes', shapeClassifier);
  await using other = await startReadyServer({ MODELS_DIR: own.path });
  const pathsOf = async (address: string) => {
    const { paths } = (await (await fetch(new URL('/openapi.json', address))).json()) as { paths: object };
    return Object.keys(paths).filter((path) => /embeddings|rerank/.test(path));
  };
  expect(await pathsOf(server.address)).toEqual(['/v1/embeddings', '/v1/rerank', '/v2/rerank']);
  expect(await pathsOf(other.address)).toEqual([]);
  expect((await postJson(other.address, '/v1/embeddings', { input: 'x' })).status).toBe(404);
});

test('a key is not told that models have such a face which it may not use', async () => {
  await using keys = await temporaryKeyFile();
  const { key } = await keys.add({ models: ['ranker'] });
  await using own = await startReadyServer({ MODELS_DIR: folder.path, API_KEYS_FILE: keys.file });
  await using none = await temporaryFolder();
  await using empty = await startReadyServer({ MODELS_DIR: none.path, API_KEYS_FILE: keys.file });
  const ask = async (address: string, path: string, body: object) => {
    const headers = { 'content-type': 'application/json', authorization: `Bearer ${key}` };
    const response = await fetch(new URL(path, address), { method: 'POST', headers, body: JSON.stringify(body) });
    return { status: response.status, body: await response.json() };
  };
  for (const model of [{}, { model: 'embedder' }, { model: 'none' }]) {
    const [there, elsewhere] = await Promise.all(
      [own, empty].map(({ address }) => ask(address, '/v1/embeddings', { input: 'x', ...model })),
    );
    expect(there).toEqual(elsewhere);
  }
  expect((await ask(own.address, '/v1/rerank', { query: 'dogs', documents: ['cats'] })).status).toBe(200);
});
