import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { float32, type Signature, type Tensors } from '../../../src/tensor/tensor.ts';
import type { TemporaryFolder } from '../../helpers/folder.ts';
import type { TokenizerName } from '../../texts/fixture-tokenizers.ts';
import { faceOf, openFake } from '../open-fake.ts';
import { rowsOf, textFolder, textSignature, vocabulary } from '../text-input/text-folder.ts';

const labels = ['O', 'B-NAME', 'I-NAME'];
const config = {
  architectures: ['BertForTokenClassification'],
  id2label: Object.fromEntries(labels.map((label, index) => [index, label])),
};
const tokenizerConfig = { model_max_length: 16, pad_token: '[PAD]', unk_token: '[UNK]' };
const signature = textSignature([{ name: 'logits', datatype: 'FP32', shape: [-1, -1, 3] }]);

/** Finds a name where a word begins with a capital letter, and that every other piece goes on one. */
async function capitals(tokenizer: TokenizerName): Promise<(inputs: Tensors) => Tensors> {
  const tokens = await vocabulary(tokenizer);
  return (inputs) => {
    const rows = rowsOf(inputs);
    const logits = rows.flatMap((ids) =>
      ids.flatMap((id) => {
        const token = (tokens.get(id) ?? '').replace(/^[▁Ġ]/, '');
        if (/^\p{Lu}/u.test(token)) return [0, 3, 1];
        return /^##/.test(token) ? [1, 0, 2] : [3, 0, 0];
      }),
    );
    return { logits: float32([rows.length, rows[0]?.length ?? 0, 3], Float32Array.from(logits)) };
  };
}

let folder: TemporaryFolder;
let outputs: (inputs: Tensors) => Tensors;
beforeAll(async () => {
  folder = await textFolder({ tokenizer: 'wordpiece', config, tokenizerConfig });
  outputs = await capitals('wordpiece');
});
afterAll(() => folder[Symbol.asyncDispose]());

const open = (more: Partial<Parameters<typeof openFake>[0]> = {}) =>
  openFake({ signature, outputs, folder: folder.path, ...more });

interface Answer {
  readonly entities: readonly { label: string; probability: number; start: number; end: number; text: string }[];
  readonly tokens: number;
  readonly truncated: boolean;
}
const answers = (results: readonly unknown[]) => results as readonly Answer[];
const texts = (answer: Answer | undefined) => answer?.entities.map(({ text }) => text);

const story = 'Ada Lovelace sailed from London with the White Star Line. '.repeat(5);

describe('a token classifier that was found by its files', () => {
  it('answers names with where they stand, in code points', async () => {
    await using face = await open();
    const text = '🙂 from London';
    const [answer] = answers(await face.predict({ text }));
    expect(answer).toEqual({
      entities: [
        {
          label: 'NAME',
          probability: expect.closeTo(Math.exp(3) / (Math.exp(3) + Math.exp(1) + 1), 6),
          start: 7,
          end: 13,
          text: 'London',
        },
      ],
      tokens: expect.any(Number),
      truncated: false,
    });
  });

  it('says what it is, as model.json would', async () => {
    await using face = await open();
    expect(faceOf(face.report).settings).toEqual({
      kind: 'token-classification',
      output: 'logits',
      aggregation: 'simple',
      ignore: ['O'],
      text: { maxLength: 16, tooLong: 'windows', stride: 8, maxBytes: 2 ** 20 },
    });
  });

  it('runs a long text in windows, with the entities of the whole text, beside other texts of the request', async () => {
    await using face = await open();
    await using whole = await open({ manifest: { face: { kind: 'token-classification', text: { maxLength: 500 } } } });
    const instances = [{ text: 'Ada' }, { text: story }, { text: '' }, { text: `now ${story}` }];
    const inWindows = answers(await face.predict(...instances));
    expect(face.asked().flatMap(rowsOf).length).toBeGreaterThan(10);
    const spans = (results: readonly Answer[]) =>
      results.map(({ entities }) => entities.map(({ start, end, text }) => [start, end, text]));
    expect(spans(inWindows)).toEqual(spans(answers(await whole.predict(...instances))));
    expect(inWindows[1]?.tokens).toBeGreaterThan(16);
    expect(inWindows[2]).toEqual({ entities: [], tokens: 2, truncated: false });
  });

  it('keeps to how tokens become entities, and what becomes of long texts, as the query says', async () => {
    await using face = await open();
    const text = 'from London';
    const [plain] = answers(await face.predictWith({ aggregation: 'none' }, { text }));
    expect(plain?.entities[0]?.label).toBe('B-NAME');
    expect(plain?.entities.length).toBeGreaterThanOrEqual(1);
    const [first] = answers(await face.predictWith({ aggregation: 'first' }, { text }));
    expect(texts(first)).toEqual(['London']);
    const [cut] = answers(await face.predictWith({ too_long: 'truncate' }, { text: story }));
    expect(cut).toMatchObject({ truncated: true, tokens: 16 });
    await expect(face.predictWith({ too_long: 'error' }, { text: 'Ada' }, { text: story })).rejects.toMatchObject({
      code: 'TEXT_TOO_LONG',
      faults: [{ location: [1, 'text'] }],
    });
    await expect(face.predictWith({ aggregation: 'median' }, { text })).rejects.toMatchObject({
      code: 'VALIDATION_FAILED',
    });
  });

  it('leaves out the labels that model.json names', async () => {
    await using face = await open({ manifest: { face: { kind: 'token-classification', ignore: ['NAME'] } } });
    const [answer] = answers(await face.predict({ text: 'from London' }));
    expect(answer?.entities.map(({ label }) => label)).toEqual(['O']);
  });

  it('reads rows that are padded on the left', async () => {
    await using left = await textFolder({
      tokenizer: 'wordpiece',
      config,
      tokenizerConfig: { ...tokenizerConfig, padding_side: 'left' },
    });
    await using face = await open({ folder: left.path });
    const [short, long] = answers(await face.predict({ text: 'London' }, { text: 'from London from Paris' }));
    expect([texts(short), texts(long)]).toEqual([['London'], ['London', 'Paris']]);
    const first = face
      .asked()
      .flatMap(rowsOf)
      .map(([id]) => id);
    expect(first).toContain(0);
  });

  it('has null for a probability that is no number', async () => {
    await using face = await open({
      outputs: (inputs) => {
        const [rows = [], ...others] = rowsOf(inputs);
        return {
          logits: float32(
            [1 + others.length, rows.length, 3],
            new Float32Array((1 + others.length) * rows.length * 3).fill(Number.NaN),
          ),
        };
      },
      manifest: { face: { kind: 'token-classification', ignore: [] } },
    });
    const [answer] = answers(await face.predict({ text: 'London' }));
    expect(answer?.entities[0]?.probability).toBeNull();
  });
});

describe('words of a tokenizer that does not mark them', () => {
  it.each([
    ['byte-level-bpe', ['London', 'Xyzzy,']],
    // Its tokens hold the blank before them.
    ['unigram', [' London', ' Paris']],
  ] as const)('are told by the blanks before them: %s', async (tokenizer, words) => {
    await using own = await textFolder({ tokenizer, config, tokenizerConfig: { model_max_length: 64 } });
    await using face = await open({ folder: own.path, outputs: await capitals(tokenizer) });
    const [answer] = answers(await face.predictWith({ aggregation: 'first' }, { text: 'from London to Xyzzy, Paris' }));
    expect(texts(answer)?.slice(0, 2)).toEqual(words);
  });
});

const fixed: Signature = textSignature([{ name: 'logits', datatype: 'FP32', shape: [1, -1, 3] }], 1);

describe('a token classifier that does not fit', () => {
  it('runs each window by itself where the model takes one row', async () => {
    await using face = await open({ signature: fixed });
    await using many = await open();
    const results = await face.predict({ text: story }, { text: 'Ada' });
    expect(face.asked().every(({ input_ids }) => input_ids?.shape[0] === 1)).toBe(true);
    expect(face.asked().length).toBeGreaterThan(5);
    expect(results).toEqual(await many.predict({ text: story }, { text: 'Ada' }));
  });

  it.each([
    ['an output of another rank', [-1, 3], 'expected [texts, tokens, classes]'],
    ['names for more classes than it has', [-1, -1, 2], 'has 2 classes, 3 have names'],
  ])('is told of with %s', async (_, shape, why) => {
    await using face = await open({ signature: textSignature([{ name: 'logits', datatype: 'FP32', shape }]) });
    expect(face.report).toMatchObject({ state: 'invalid', why: expect.stringContaining(why) });
  });

  it('needs room for what windows share', async () => {
    const manifest = { face: { kind: 'token-classification', text: { stride: 14 } } };
    await expect(open({ manifest })).rejects.toMatchObject({
      code: 'FACE_INVALID',
      message: expect.stringContaining('16 tokens leave 14 for texts, and windows share 14'),
    });
  });
});
