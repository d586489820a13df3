import { expect, test } from 'vitest';
import { decodeRuns } from '../../../src/domains/typed-request.ts';
import { AppError } from '../../../src/errors.ts';
import { parseManifest } from '../../../src/models/manifest.ts';
import { float32 } from '../../../src/tensor/tensor.ts';
import { temporaryFolder } from '../../helpers/folder.ts';
import { hiddenStates, textSignature } from '../fake-text-model.ts';
import { cls, idOf, sep, writeCompanions } from '../fake-tokenizer.ts';
import { type FakeVersion, faceOf, openFake } from '../open-fake.ts';

const signature = textSignature([{ name: 'last_hidden_state', datatype: 'FP32', shape: [-1, -1, 2] }]);
const transformer = { idx: 0, path: '', type: 'sentence_transformers.models.Transformer' };
const pooling = { idx: 1, path: '1_Pooling', type: 'sentence_transformers.models.Pooling' };
const normalize = { idx: 2, path: '2_Normalize', type: 'sentence_transformers.models.Normalize' };

async function open(files: Readonly<Record<string, unknown>>, manifest: object = {}) {
  const folder = await temporaryFolder();
  await writeCompanions(folder.path, { 'tokenizer.json': {}, ...files });
  const opened = await openFake({ signature, outputs: hiddenStates, words: true, folder: folder.path, manifest });
  return { ...opened, [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose]() };
}

const meanOf = (...words: string[]) =>
  (cls + sep + words.reduce((sum, word) => sum + idOf(word), 0)) / (words.length + 2);

test('a model without a head, with its tokenizer, gives the mean of its tokens', async () => {
  await using face = await open({ 'config.json': { architectures: ['BertModel'] } });
  expect(face.report).toMatchObject({ state: 'ready', face: { kind: 'embedding', padding: { joined: true } } });
  expect(await face.predict({ text: 'one three' }, { text: 'a' })).toEqual([
    { embedding: [meanOf('one', 'three'), 1], tokens: 4, truncated: false },
    { embedding: [Math.fround(meanOf('a')), 1], tokens: 3, truncated: false },
  ]);
});

test('what becomes of the tokens is as the files of sentence-transformers say', async () => {
  const both = { pooling_mode_cls_token: true, pooling_mode_max_tokens: true, pooling_mode_mean_tokens: false };
  await using concatenated = await open({ 'modules.json': [transformer, pooling], '1_Pooling/config.json': both });
  expect(await concatenated.predict({ text: 'one three' })).toMatchObject([{ embedding: [cls, 1, idOf('three'), 1] }]);
  const last = { pooling_mode: 'lasttoken' };
  await using unit = await open({ 'modules.json': [transformer, pooling, normalize], '1_Pooling/config.json': last });
  const length = Math.hypot(sep, 1);
  expect(await unit.predict({ text: 'one' })).toMatchObject([
    { embedding: [Math.fround(sep / length), Math.fround(1 / length)] },
  ]);
});

test('a layer behind the pooling is read of its safetensors, in each of their types', async () => {
  const dense = { idx: 2, path: '2_Dense', type: 'sentence_transformers.models.Dense' };
  const identity = { activation_function: 'torch.nn.modules.linear.Identity', in_features: 2, out_features: 1 };
  for (const dtype of ['F32', 'F16', 'BF16'] as const) {
    await using face = await open({
      'modules.json': [transformer, pooling, dense],
      '1_Pooling/config.json': { pooling_mode_cls_token: true },
      '2_Dense/config.json': identity,
      '2_Dense/model.safetensors': safetensors(dtype, {
        'linear.weight': { shape: [1, 2], values: [2, -0.5] },
        'linear.bias': { shape: [1], values: [0.25] },
      }),
    });
    expect(await face.predict({ text: 'one' })).toMatchObject([{ embedding: [2 * cls - 0.5 + 0.25] }]);
  }
});

test('modules that are not known, or broken, leave the face out and say why', async () => {
  const strange = { idx: 1, path: '1_LSTM', type: 'sentence_transformers.models.LSTM' };
  for (const [files, why] of [
    [{ 'modules.json': [transformer, strange] }, /LSTM is not known/],
    [{ 'modules.json': [transformer, { ...pooling, path: '../x' }] }, /the path "\.\.\/x" cannot be used/],
    [{ 'modules.json': [transformer, pooling] }, /1_Pooling\/config\.json is missing/],
    [{ 'modules.json': [transformer, pooling], '1_Pooling/config.json': {} }, /no pooling is switched on/],
  ] as const) {
    await using face = await open(files);
    expect(face.report).toMatchObject({ state: 'invalid', why: expect.stringMatching(why) });
  }
});

test('a prompt goes before the text, and is left out of means where the files say so', async () => {
  const prompts = { prompts: { query: 'query: ', document: '' }, default_prompt_name: 'document' };
  const files = { 'modules.json': [transformer, pooling], 'config_sentence_transformers.json': prompts };
  await using face = await open({ ...files, '1_Pooling/config.json': { pooling_mode_mean_tokens: true } });
  expect(await face.predict({ text: 'one', prompt: 'query' }, { text: 'one' })).toMatchObject([
    { embedding: [Math.fround(meanOf('query:', 'one')), 1], tokens: 4 },
    { embedding: [Math.fround(meanOf('one')), 1], tokens: 3 },
  ]);
  expect(faceOf(face.report).domain.input.safeParse({ text: 'one', prompt: 'other' }).success).toBe(false);
  await using without = await open({
    ...files,
    '1_Pooling/config.json': { pooling_mode_mean_tokens: true, include_prompt: false },
  });
  expect(await without.predict({ text: 'one', prompt: 'query' })).toMatchObject([
    { embedding: [Math.fround((idOf('one') + sep) / 2), 1] },
  ]);
});

test('a text with too many tokens is cut and says so, or is refused where that is asked for', async () => {
  await using face = await open({
    'config.json': { architectures: ['BertModel'], max_position_embeddings: 4 },
    'sentence_bert_config.json': { max_seq_length: 3 },
  });
  expect(await face.predict({ text: 'a three' })).toEqual([
    { embedding: [Math.fround(meanOf('a')), 1], tokens: 3, truncated: true },
  ]);
  const refused = face.predictWith({ too_long: 'error' }, { text: 'a' }, { text: 'a three' });
  await expect(refused).rejects.toMatchObject({
    code: 'TEXT_TOO_LONG',
    received: '4 tokens',
    expected: 'at most 3',
    faults: [{ location: [1, 'text'] }],
  });
});

test('a vector is cut to the dimensions that there are', async () => {
  await using face = await open({ 'config.json': { architectures: ['BertModel'] } });
  expect(await face.predictWith({ dimensions: '1' }, { text: 'a' })).toMatchObject([
    { embedding: [Math.fround(meanOf('a'))] },
  ]);
  await expect(face.predictWith({ dimensions: '3' }, { text: 'a' })).rejects.toThrow(
    /cannot have 3 dimensions; expected at most 2/,
  );
  expect(() => faceOf(face.report).domainFor({ dimensions: '0' })).toThrow(AppError);
  await using listed = await open(
    { 'config.json': { architectures: ['BertModel'] } },
    { face: { kind: 'embedding', dimensions: [2] } },
  );
  await expect(listed.predictWith({ dimensions: '1' }, { text: 'a' })).rejects.toMatchObject({
    code: 'DIMENSIONS_UNSUPPORTED',
  });
});

test('nothing is put before tokens that a client has made, nor left out of their mean', async () => {
  await using face = await open({
    'modules.json': [transformer, pooling],
    'config_sentence_transformers.json': { prompts: { query: 'query: ' }, default_prompt_name: 'query' },
    '1_Pooling/config.json': { pooling_mode_mean_tokens: true, include_prompt: false },
  });
  const { domain } = faceOf(face.report);
  const instances = [{ ids: [13, 15] }, { text: 'one' }];
  const { signal } = new AbortController();
  const served = { name: 'm', version: '1', signature, manifest: parseManifest('', '{}'), independentRows: true };
  const groups = (await domain.encodeGroups?.(instances, served, { signal, atDeadline: () => () => undefined })) ?? [];
  const runs = groups.map(({ inputs }) => hiddenStates(inputs));
  const inference = { model: served, outputs: {}, runs, groups: groups.map((group) => group.instances) };
  expect(await decodeRuns(domain, inference, instances)).toMatchObject([
    { embedding: [Math.fround((cls + 13 + 15 + sep) / 4), 1] },
    { embedding: [Math.fround((idOf('one') + sep) / 2), 1] },
  ]);
});

test('a layer that takes more or fewer values than come, or has a strange activation, leaves the face out', async () => {
  const dense = { idx: 2, path: '2_Dense', type: 'sentence_transformers.models.Dense' };
  const withDense = (inputs: number, activation: string) => ({
    'modules.json': [transformer, pooling, dense],
    '1_Pooling/config.json': { pooling_mode_cls_token: true },
    '2_Dense/config.json': { activation_function: activation },
    '2_Dense/model.safetensors': safetensors('F32', {
      'linear.weight': { shape: [1, inputs], values: new Array(inputs).fill(1) },
    }),
  });
  for (const [files, why] of [
    [withDense(1, 'torch.nn.modules.linear.Identity'), /2_Dense: it takes 1 values, those before it give 2/],
    [withDense(3, 'torch.nn.modules.linear.Identity'), /2_Dense: it takes 3 values, those before it give 2/],
    [withDense(2, 'constructor'), /activation_function is constructor, expected torch/],
  ] as const) {
    await using face = await open(files);
    expect(face.report).toMatchObject({ state: 'invalid', why: expect.stringMatching(why) });
  }
});

test('a prompt that every object has is none of the model', async () => {
  await using face = await open({
    'config.json': { architectures: ['BertModel'] },
    'config_sentence_transformers.json': { prompts: { query: 'query: ' }, default_prompt_name: 'toString' },
  });
  expect(face.report).toMatchObject({ state: 'invalid', why: expect.stringMatching(/there is no prompt "toString"/) });
});

test('a vector with a number that is not finite is no answer', async () => {
  await using folder = await temporaryFolder();
  await writeCompanions(folder.path, { 'tokenizer.json': {}, 'config.json': { architectures: ['BertModel'] } });
  const outputs: FakeVersion['outputs'] = (inputs) => {
    const { last_hidden_state: states } = hiddenStates(inputs);
    const values = Array.from<unknown, number>(states?.data ?? [], Number);
    return {
      last_hidden_state: float32(
        states?.shape ?? [],
        values.map((value) => (value === idOf('infinite') ? Infinity : value)),
      ),
    };
  };
  await using face = await openFake({ signature, outputs, words: true, folder: folder.path });
  expect(await face.predict({ text: 'a' })).toHaveLength(1);
  await expect(face.predict({ text: 'infinite' })).rejects.toThrow('numbers that are not finite');
});

interface Values {
  readonly shape: readonly number[];
  readonly values: readonly number[];
}

function safetensors(dtype: 'F32' | 'F16' | 'BF16', tensors: Readonly<Record<string, Values>>): Uint8Array {
  const size = dtype === 'F32' ? 4 : 2;
  const header: Record<string, object> = { __metadata__: { format: 'pt' } };
  const data: Buffer[] = [];
  let at = 0;
  for (const [name, { shape, values }] of Object.entries(tensors)) {
    const bytes = Buffer.alloc(values.length * size);
    const view = new DataView(bytes.buffer, bytes.byteOffset);
    for (const [index, value] of values.entries()) {
      if (dtype === 'F32') view.setFloat32(index * 4, value, true);
      else if (dtype === 'F16') view.setFloat16(index * 2, value, true);
      else view.setUint16(index * 2, upperHalf(value), true);
    }
    header[name] = { dtype, shape, data_offsets: [at, at + bytes.length] };
    at += bytes.length;
    data.push(bytes);
  }
  const text = Buffer.from(JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(text.length));
  return Buffer.concat([length, text, ...data]);
}

/** The upper 16 bits of an FP32. */
function upperHalf(value: number): number {
  const view = new DataView(new ArrayBuffer(4));
  view.setFloat32(0, value);
  return view.getUint16(0);
}
