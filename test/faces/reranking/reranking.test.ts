import { expect, test } from 'vitest';
import { float32 } from '../../../src/tensor/tensor.ts';
import { temporaryFolder } from '../../helpers/folder.ts';
import { sumScores, textSignature, tokenRows } from '../fake-text-model.ts';
import { idOf, writeCompanions } from '../fake-tokenizer.ts';
import { type FakeVersion, faceOf, openFake } from '../open-fake.ts';

const signature = textSignature([{ name: 'logits', datatype: 'FP32', shape: [-1, 1] }]);
const config = { architectures: ['BertForSequenceClassification'], id2label: { 0: 'LABEL_0' } };

async function open(more: object = {}) {
  const folder = await temporaryFolder();
  await writeCompanions(folder.path, { 'tokenizer.json': {}, 'config.json': { ...config, ...more } });
  const opened = await openFake({
    signature,
    outputs: (inputs) => sumScores(inputs, 1),
    words: true,
    folder: folder.path,
  });
  return { ...opened, [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose]() };
}

/** What the fake says of a pair: a hundredth of the sum of its ids. */
const logitOf = (...words: string[]) =>
  Math.fround((1 + 2 + 2 + words.reduce((sum, word) => sum + idOf(word), 0)) / 100);
const sigmoid = (value: number) => 1 / (1 + Math.exp(-value));

test('documents come in the order of their relevance, each query with its own', async () => {
  await using face = await open();
  expect(face.report).toMatchObject({ state: 'ready', face: { kind: 'reranking' } });
  expect(
    await face.predict(
      { query: 'q', documents: ['a', 'a long one', 'bb'] },
      { query: 'other', documents: ['x'], return_documents: true },
    ),
  ).toEqual([
    {
      results: [
        { index: 1, relevance_score: sigmoid(logitOf('q', 'a', 'long', 'one')) },
        { index: 2, relevance_score: sigmoid(logitOf('q', 'bb')) },
        { index: 0, relevance_score: sigmoid(logitOf('q', 'a')) },
      ],
      tokens: 5 + 7 + 5,
    },
    { results: [{ index: 0, relevance_score: sigmoid(logitOf('other', 'x')), document: 'x' }], tokens: 5 },
  ]);
});

test('scores are as the model gives them where that is asked for, or its configuration says so', async () => {
  await using face = await open();
  const query = { query: 'q', documents: ['a', 'bb'], top_n: 1, raw_scores: true };
  expect(await face.predict(query)).toMatchObject([{ results: [{ index: 1, relevance_score: logitOf('q', 'bb') }] }]);
  await using raw = await open({ sbert_ce_default_activation_function: 'torch.nn.modules.linear.Identity' });
  expect(await raw.predict({ query: 'q', documents: ['a'] })).toMatchObject([
    { results: [{ relevance_score: logitOf('q', 'a') }] },
  ]);
});

test('a document is cut and says so; a query that fills the model alone is refused', async () => {
  await using face = await open({ max_position_embeddings: 7 });
  expect(await face.predict({ query: 'q', documents: ['a b c d e', 'a'] })).toMatchObject([
    { results: [{ index: 0, relevance_score: sigmoid(logitOf('q', 'a', 'b', 'c')), truncated: true }, { index: 1 }] },
  ]);
  const long = { query: 'a b c d e', documents: ['x'] };
  await expect(face.predictWith({}, long)).rejects.toMatchObject({
    code: 'TEXT_TOO_LONG',
    faults: [{ location: [0, 'documents', 0] }],
  });
  expect(faceOf(face.report).domain.input.safeParse({ query: 'q', documents: [] }).success).toBe(false);
});

test('pairs tell the model which of the two texts a token is of', async () => {
  const names = ['input_ids', 'attention_mask', 'token_type_ids'];
  await using folder = await temporaryFolder();
  await writeCompanions(folder.path, { 'tokenizer.json': {}, 'config.json': config });
  const { predict, asked } = await openFake({
    signature: textSignature(signature.outputs, names),
    outputs: (inputs) => sumScores(inputs, 1),
    words: true,
    folder: folder.path,
  });
  await predict({ query: 'q', documents: ['a b'] });
  const [inputs = {}] = asked();
  const { length } = tokenRows(inputs);
  const types = Array.from(inputs['token_type_ids']?.data ?? [], Number);
  expect(types).toEqual([0, 0, 0, 1, 1, 1, ...new Array<number>(length - 6).fill(0)]);
});

test('a model of any number of scores that gives more than one for a pair has no face', async () => {
  await using folder = await temporaryFolder();
  await writeCompanions(folder.path, {
    'tokenizer.json': {},
    'config.json': { architectures: ['BertForSequenceClassification'] },
  });
  const free = textSignature([{ name: 'logits', datatype: 'FP32', shape: [-1, -1] }]);
  await using face = await openFake({
    signature: free,
    outputs: (inputs) => sumScores(inputs, 2),
    words: true,
    folder: folder.path,
  });
  expect(face.report).toMatchObject({ state: 'invalid', why: expect.stringMatching(/expected one float for each/) });
});

test('NaN has no place in an order', async () => {
  await using folder = await temporaryFolder();
  await writeCompanions(folder.path, { 'tokenizer.json': {}, 'config.json': config });
  const outputs: FakeVersion['outputs'] = (inputs) => {
    const { logits } = sumScores(inputs, 1);
    const values = Array.from<unknown, number>(logits?.data ?? [], Number);
    return {
      logits: float32(
        logits?.shape ?? [],
        values.map((value) => (value > 0.5 ? Number.NaN : value)),
      ),
    };
  };
  await using face = await openFake({
    signature,
    outputs,
    words: true,
    folder: folder.path,
    manifest: { face: { kind: 'reranking', template: { query: 'a', documents: ['b'] } } },
  });
  await expect(face.predict({ query: 'q', documents: ['a', 'a b c d e f g'] })).rejects.toThrow('NaN for a pair');
});
