import { expect, test } from 'vitest';
import { float32 } from '../../../src/tensor/tensor.ts';
import { temporaryFolder } from '../../helpers/folder.ts';
import { sumScores, textSignature, tokenRows } from '../fake-text-model.ts';
import { writeCompanions } from '../fake-tokenizer.ts';
import { type FakeVersion, faceOf, openFake } from '../open-fake.ts';

const signature = textSignature([{ name: 'logits', datatype: 'FP32', shape: [-1, 2] }]);
const config = { architectures: ['BertForSequenceClassification'], id2label: { 0: 'negative', 1: 'positive' } };
const files = { 'tokenizer.json': {}, 'config.json': config };

async function open(change: Partial<FakeVersion> = {}, beside: Readonly<Record<string, unknown>> = files) {
  const folder = await temporaryFolder();
  await writeCompanions(folder.path, beside);
  const model = { signature, outputs: (inputs: Parameters<typeof sumScores>[0]) => sumScores(inputs, 2), ...change };
  const opened = await openFake({ ...model, words: true, folder: folder.path });
  return { ...opened, [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose]() };
}

const texts = ['a', 'a b c d e f g h i j', 'b'].map((text) => ({ text }));

test('a text gets its classes by their names, and how many tokens it has', async () => {
  await using face = await open();
  const [result] = await face.predict({ text: 'good' });
  expect(result).toMatchObject({ label: 'positive', classes: [{ index: 1 }, { index: 0 }], tokens: 3 });
  expect(await face.predictWith({ top_k: '1' }, { text: 'good' })).toMatchObject([
    { classes: [{ label: 'positive' }] },
  ]);
});

test('texts of nearly one length share a run, and answers keep the order of the request', async () => {
  await using face = await open();
  const alone = await Promise.all(texts.map(async (text) => (await face.predict(text))[0]));
  const before = face.asked().length;
  expect(await face.predict(...texts)).toEqual(alone);
  const shapes = face
    .asked()
    .slice(before)
    .map(({ input_ids }) => input_ids?.shape);
  expect(shapes).toEqual([
    [2, 8],
    [1, 16],
  ]);
});

test('a model whose answers change with padding gets each text alone, at its own length', async () => {
  const outputs: FakeVersion['outputs'] = (inputs) => {
    const { rows, length } = tokenRows(inputs);
    const { logits } = sumScores(inputs, 2);
    const values = Array.from<unknown, number>(logits?.data ?? [], (value) => Number(value) * length);
    return { logits: float32([rows, 2], values) };
  };
  await using face = await open({ outputs });
  expect(face.report).toMatchObject({
    face: { padding: { joined: false, why: expect.stringMatching(/logits is .* alone and .* padded/) } },
  });
  await face.predict(...texts);
  expect(face.asked().map(({ input_ids }) => input_ids?.shape)).toEqual([
    [1, 3],
    [1, 3],
    [1, 12],
  ]);
});

test('a model without attention_mask is never padded', async () => {
  await using face = await open({ signature: textSignature(signature.outputs, ['input_ids']) });
  expect(face.report).toMatchObject({
    face: { padding: { joined: false, why: expect.stringContaining('attention_mask') } },
  });
});

test('too long a text is refused by default, and cut where the request says so', async () => {
  await using face = await open({}, { ...files, 'tokenizer_config.json': { model_max_length: 5 } });
  await expect(face.predictWith({}, { text: 'a b c d' })).rejects.toMatchObject({ code: 'TEXT_TOO_LONG' });
  expect(await face.predictWith({ too_long: 'truncate' }, { text: 'a b c d' })).toMatchObject([
    { tokens: 5, truncated: true },
  ]);
  const { domain } = faceOf(face.report);
  expect(domain.input.safeParse({ text: 'x'.repeat(2 ** 20 + 1) }).success).toBe(false);
  expect(domain.input.safeParse({ text: '' }).success).toBe(true);
});

test('what is missing or does not fit is said', async () => {
  for (const [change, beside, expected] of [
    [{}, { 'config.json': config }, { state: 'none', why: 'tokenizer.json is missing' }],
    [
      {},
      { ...files, 'config.json': { ...config, id2label: { 0: 'a', 1: 'b', 2: 'c' } } },
      { state: 'invalid', why: expect.stringContaining('2 classes, 3 have names') },
    ],
    [
      {},
      { ...files, 'config.json': { ...config, id2label: { 0: 'a', 2: 'b' } } },
      { state: 'invalid', why: expect.stringContaining('none for 1') },
    ],
    [
      { signature: textSignature(signature.outputs, ['input_ids', 'pixels']) },
      files,
      { state: 'invalid', why: expect.stringContaining('the input pixels, which texts do not have') },
    ],
  ] as const) {
    await using face = await open(change, beside);
    expect(face.report).toEqual(expected);
  }
  const tooShort = { face: { kind: 'text-classification', text: { maxLength: 2 } } };
  await expect(open({ manifest: tooShort })).rejects.toThrow(/2 tokens leave 0 for texts/);
});

test('an output of any size that has more or fewer classes than have names makes no face', async () => {
  const free = textSignature([{ name: 'logits', datatype: 'FP32', shape: [-1, -1] }]);
  await using face = await open({ signature: free, outputs: (inputs) => sumScores(inputs, 3) });
  expect(face.report).toMatchObject({
    state: 'invalid',
    why: expect.stringMatching(/the output logits has 3 classes, 2 have names/i),
  });
});

test('names of classes are texts', async () => {
  const strange = { ...config, id2label: { 0: 'negative', 1: { name: 'positive' } } };
  await using face = await open({}, { ...files, 'config.json': strange });
  expect(face.report).toEqual({ state: 'invalid', why: 'config.json: id2label.1: expected a text' });
});
