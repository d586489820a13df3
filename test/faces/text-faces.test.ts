import { cp, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { type TemporaryFolder, temporaryFolder } from '../helpers/folder.ts';
import { float, int64, type Model, onnxModel } from '../helpers/onnx-model.ts';
import { postJson, startReadyServer, type TestServer } from '../helpers/server.ts';
import { tokenizerPath } from '../texts/fixture-tokenizers.ts';
import { vocabulary } from './text-input/text-folder.ts';

const floats = (values: readonly number[]) => Buffer.from(Float32Array.from(values).buffer);

/** A row of a table for each token, whatever stands beside it; the mask is of no use, but taken. */
function lookup(outputs: Readonly<Record<string, readonly (readonly number[])[]>>, texts: string | 1 = 'texts'): Model {
  const tokens = [texts, 'tokens'];
  return {
    opsets: { '': 13 },
    inputs: {
      input_ids: { element: int64, shape: tokens },
      attention_mask: { element: int64, shape: tokens },
    },
    outputs: Object.fromEntries(
      Object.entries(outputs).map(([name, [row = []]]) => [
        name,
        { element: float, shape: row.length > 1 ? [...tokens, row.length] : tokens },
      ]),
    ),
    initializers: Object.entries(outputs).map(([name, rows]) => ({
      name: `${name}_table`,
      type: float,
      dims: (rows[0]?.length ?? 0) > 1 ? [rows.length, rows[0]?.length ?? 0] : [rows.length],
      raw: floats(rows.flat()),
    })),
    nodes: Object.keys(outputs).map((name) => ({
      op: 'Gather',
      inputs: [`${name}_table`, 'input_ids'],
      outputs: [name],
      attributes: [{ name: 'axis', int: 0 }],
    })),
  };
}

/** What is read of the OpenAPI document. */
const operation = z.object({
  post: z.object({
    parameters: z.array(z.object({ name: z.string() })),
    requestBody: z.object({ content: z.object({ 'application/json': z.object({ example: z.unknown() }) }) }),
  }),
});
const documentation = z.object({
  paths: z.object({ '/names/predict': operation, '/answers/predict': operation }),
});

const labels = { 0: 'O', 1: 'B-NAME', 2: 'I-NAME' };

async function writeTextModel(repository: string, name: string, model: Model, config: object): Promise<void> {
  const version = join(repository, name, '1');
  await mkdir(version, { recursive: true });
  await writeFile(join(version, 'model.onnx'), onnxModel(model));
  await writeFile(join(version, 'config.json'), JSON.stringify(config));
  await cp(tokenizerPath('wordpiece'), join(version, 'tokenizer.json'));
  const tokenizerConfig = { model_max_length: 40, pad_token: '[PAD]', unk_token: '[UNK]', cls_token: '[CLS]' };
  await writeFile(join(version, 'tokenizer_config.json'), JSON.stringify(tokenizerConfig));
}

let folder: TemporaryFolder;
let server: TestServer;

beforeAll(async () => {
  folder = await temporaryFolder();
  const words = [...(await vocabulary('wordpiece'))].toSorted(([a], [b]) => a - b).map(([, token]) => token);
  const names = words.map((word) =>
    /^\p{Lu}/u.test(word) ? [0, 4, 1] : word.startsWith('##') ? [1, 0, 2] : [4, 0, 0],
  );
  const namesConfig = { architectures: ['BertForTokenClassification'], id2label: labels };
  await writeTextModel(folder.path, 'names', lookup({ logits: names }), namesConfig);
  await writeTextModel(folder.path, 'names-of-one', lookup({ logits: names }, 1), namesConfig);
  const digits = words.map((word) => [/^(##)?\d/.test(word) ? 6 : -2]);
  await writeTextModel(folder.path, 'answers', lookup({ start_logits: digits, end_logits: digits }), {
    architectures: ['BertForQuestionAnswering'],
  });
  server = await startReadyServer({ MODELS_DIR: folder.path });
});

afterAll(async () => {
  await server.stop();
  await folder[Symbol.asyncDispose]();
});

const post = (path: string, body: unknown) => postJson(server.address, path, body);

const story = 'the lazy dog sailed from London with the White Star Line. '.repeat(10);

describe('a folder with a token classifier', () => {
  test('finds the names of a text, also of one in windows, and those of many', async () => {
    const one = await post('/names/predict', { text: '🙂 London' });
    expect([one.status, one.body]).toMatchObject([
      200,
      { entities: [{ label: 'NAME', start: 2, end: 8, text: 'London' }], truncated: false },
    ]);
    const instances = [{ text: story }, { text: 'London' }, { text: '' }];
    const { body } = await post('/names/predict/batch', { instances });
    const named = (...texts: string[]) => ({ entities: texts.map((text) => expect.objectContaining({ text })) });
    const inStory = Array.from({ length: 10 }, () => ['London', 'White', 'Star', 'Line']).flat();
    expect(body).toMatchObject({ predictions: [named(...inStory), named('London'), named()] });
  });

  test('keeps to its query, and tells what is wrong with it', async () => {
    const { body } = await post('/names/predict?aggregation=none&too_long=truncate', { text: story });
    expect(body).toMatchObject({
      truncated: true,
      entities: expect.arrayContaining([expect.objectContaining({ label: 'B-NAME' })]),
    });
    const refused = await post('/names/predict?too_long=error', { text: story });
    expect([refused.status, refused.body]).toMatchObject([
      422,
      { code: 'TEXT_TOO_LONG', errors: [{ location: ['body', 'text'], type: 'text_too_long' }] },
    ]);
    expect((await post('/names/predict?aggregation=all', { text: '' })).status).toBe(422);
  });
});

describe('a token classifier that takes one row at a time', () => {
  test('answers many, also a text in windows, each row by itself', async () => {
    const instances = ['London', '', story, 'from London'].map((text) => ({ text }));
    const { body } = await post('/names-of-one/predict/batch', { instances });
    expect(body).toEqual((await post('/names/predict/batch', { instances })).body);
    expect(body).toMatchObject({
      predictions: [
        { entities: [{ text: 'London' }] },
        { entities: [] },
        { truncated: false },
        { entities: [{ text: 'London', start: 5 }] },
      ],
    });
  });
});

describe('a folder with a model that answers questions', () => {
  test('finds the answer in a long text, and where it stands', async () => {
    const context = `${story} It was 2 ${story}`;
    const { status, body } = await post('/answers/predict?top_k=2', { question: 'How old?', context });
    expect(status).toBe(200);
    const start = context.indexOf('2');
    expect(body).toMatchObject({ answer: '2', start, end: start + 1, answers: [{ answer: '2' }, expect.anything()] });
  });

  test('names the question that leaves no room', async () => {
    const instances = [
      { question: 'How old?', context: '2' },
      { question: story, context: '2' },
    ];
    const { status, body } = await post('/answers/predict/batch', { instances });
    expect([status, body]).toMatchObject([
      422,
      { code: 'TEXT_TOO_LONG', errors: [{ location: ['body', 'instances', 1, 'question'] }] },
    ]);
  });
});

test('both are documented with examples that they answer', async () => {
  const response = await fetch(new URL('/openapi.json', server.address));
  const { paths } = documentation.parse(await response.json());
  for (const path of ['/names/predict', '/answers/predict'] as const) {
    const { requestBody } = paths[path].post;
    expect((await post(path, requestBody.content['application/json'].example)).status).toBe(200);
  }
  const parameters = (path: keyof typeof paths) => paths[path].post.parameters.map(({ name }) => name);
  expect(parameters('/names/predict')).toEqual(expect.arrayContaining(['aggregation', 'too_long']));
  expect(parameters('/answers/predict')).toEqual(expect.arrayContaining(['top_k', 'too_long']));
});
