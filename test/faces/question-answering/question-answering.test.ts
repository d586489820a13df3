import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { float32, type Tensors } from '../../../src/tensor/tensor.ts';
import type { TemporaryFolder } from '../../helpers/folder.ts';
import { faceOf, openFake } from '../open-fake.ts';
import { rowsOf, textFolder, textSignature, vocabulary } from '../text-input/text-folder.ts';

const tokenizerConfig = { model_max_length: 40, pad_token: '[PAD]', cls_token: '[CLS]' };
const outputSpecs = ['start_logits', 'end_logits'].map(
  (name) => ({ name, datatype: 'FP32', shape: [-1, -1] }) as const,
);
const signature = textSignature(outputSpecs);
const [classId, separatorId] = [2, 3];

/** Finds the numbers in the context: 2 where a token is of digits, and nothing speaks for anything else. */
async function numbers(forNone: number): Promise<(inputs: Tensors) => Tensors> {
  const tokens = await vocabulary('wordpiece');
  return (inputs) => {
    const rows = rowsOf(inputs);
    const length = rows[0]?.length ?? 0;
    const logits = rows.flatMap((ids) => {
      const context = ids.indexOf(separatorId);
      return ids.map((id, index) => {
        if (id === classId) return forNone;
        return index > context && /^(##)?\d/.test(tokens.get(id) ?? '') ? 5 : -3;
      });
    });
    const tensor = float32([rows.length, length], Float32Array.from(logits));
    return { start_logits: tensor, end_logits: tensor };
  };
}

let folder: TemporaryFolder;
let outputs: (inputs: Tensors) => Tensors;
beforeAll(async () => {
  folder = await textFolder({ tokenizer: 'wordpiece', tokenizerConfig });
  outputs = await numbers(-3);
});
afterAll(() => folder[Symbol.asyncDispose]());

const open = (more: Partial<Parameters<typeof openFake>[0]> = {}) =>
  openFake({ signature, outputs, folder: folder.path, ...more });

interface Answer {
  readonly answer: string | null;
  readonly probability: number | null;
  readonly start: number;
  readonly end: number;
  readonly answers?: readonly Answer[];
  readonly truncated?: true;
}
const answers = (results: readonly unknown[]) => results as readonly Answer[];

const question = 'How old was it?';
const filler = 'the quick brown fox jumped over the lazy dog of London. '.repeat(8);

describe('a model that answers questions', () => {
  it('says what it is, as model.json would', async () => {
    await using face = await open();
    expect(faceOf(face.report).settings).toEqual({
      kind: 'question-answering',
      maxAnswerTokens: 15,
      noAnswer: false,
      text: { maxLength: 40, tooLong: 'windows', stride: 20, maxBytes: 2 ** 20 },
    });
  });

  it('takes at most 384 tokens where the files allow more, and model.json says nothing else', async () => {
    await using own = await textFolder({ tokenizer: 'wordpiece', tokenizerConfig: { model_max_length: 512 } });
    await using face = await open({ folder: own.path });
    expect(faceOf(face.report).settings).toMatchObject({ text: { maxLength: 384, stride: 128 } });
    const manifest = { face: { kind: 'question-answering', text: { maxLength: 500, stride: 10 } } };
    await using other = await open({ folder: own.path, manifest });
    expect(faceOf(other.report).settings).toMatchObject({ text: { maxLength: 500, stride: 10 } });
  });

  it('answers with a part of the context, in code points', async () => {
    await using face = await open({ manifest: { face: { kind: 'question-answering', text: { maxLength: 64 } } } });
    const [answer] = answers(await face.predict({ question, context: '🙂 It was 2 years' }));
    expect(answer).toEqual({ answer: '2', probability: expect.any(Number), start: 9, end: 10 });
    expect(answer?.probability).toBeGreaterThan(0.9);
  });

  it.each([
    ['at the beginning', `22 years ${filler}`],
    ['in the middle', `${filler} 22 years ${filler}`],
    ['at the end', `${filler} 22`],
  ])('finds an answer %s of a long context, beside other questions', async (_, context) => {
    const manifest = { face: { kind: 'question-answering', text: { stride: 4 } } };
    await using face = await open({ manifest });
    const instances = [
      { question, context: 'It was 2' },
      { question, context },
      { question: 'how?', context: '2 dogs' },
    ];
    const found = answers(await face.predict(...instances));
    expect(face.asked().flatMap(rowsOf).length).toBeGreaterThan(5);
    for (const [index, digits] of ['2', '22', '2'].entries()) {
      const { answer, start, end } = found[index] ?? { answer: null, start: 0, end: 0 };
      expect(digits).toContain(answer);
      expect([...(instances[index]?.context ?? '')].slice(start, end).join('')).toBe(answer);
    }
  });

  it('gives as many answers as are asked for, each once', async () => {
    await using face = await open();
    const [answer] = answers(await face.predictWith({ top_k: '3' }, { question, context: '2 or 2' }));
    expect(answer?.answers).toHaveLength(3);
    expect(answer?.answers?.[0]).toMatchObject({ answer: answer?.answer, start: answer?.start });
    expect(new Set(answer?.answers?.map(({ start, end }) => `${start}-${end}`)).size).toBe(3);
    const probabilities = answer?.answers?.map(({ probability }) => probability ?? 0) ?? [];
    expect(probabilities).toEqual(probabilities.toSorted((a, b) => b - a));
    await expect(face.predictWith({ top_k: '0' }, { question, context: '2' })).rejects.toMatchObject({
      code: 'VALIDATION_FAILED',
    });
  });

  it('gives no answer longer than it may be', async () => {
    const manifest = { face: { kind: 'question-answering', maxAnswerTokens: 1 } };
    await using face = await open({ manifest });
    const [answer] = answers(await face.predictWith({ top_k: '100' }, { question, context: '2 or 2' }));
    expect(answer?.answers?.every(({ answer: text }) => !text?.includes(' '))).toBe(true);
  });

  it('answers null where that may be, and nothing speaks for a part of the context', async () => {
    const unsure = await numbers(9);
    const context = 'It was 2 years';
    const manifest = { face: { kind: 'question-answering', noAnswer: true } };
    await using face = await open({ manifest, outputs: unsure });
    const [none] = answers(await face.predictWith({ top_k: '2' }, { question, context }));
    expect(none).toMatchObject({ answer: null, start: 0, end: 0, answers: [{ answer: null }, { answer: '2' }] });
    expect(none?.probability).toBeGreaterThan(0.5);
    await using sure = await open({ manifest });
    expect((await sure.predict({ question, context }))[0]).toMatchObject({ answer: '2' });
    await using never = await open({ outputs: unsure });
    expect((await never.predict({ question, context }))[0]).toMatchObject({ answer: '2' });
  });

  it('answers null for a context without a token', async () => {
    await using face = await open();
    expect(await face.predict({ question, context: ' ' })).toEqual([
      { answer: null, probability: null, start: 0, end: 0 },
    ]);
  });

  it('cuts or refuses a long context where it is told to, and says so', async () => {
    await using face = await open();
    const context = `2 ${filler}`;
    const [cut] = answers(await face.predictWith({ too_long: 'truncate' }, { question, context }));
    expect(cut).toMatchObject({ answer: '2', truncated: true });
    await expect(face.predictWith({ too_long: 'error' }, { question, context })).rejects.toMatchObject({
      code: 'TEXT_TOO_LONG',
      faults: [{ location: [0, 'context'] }],
    });
  });

  it('refuses a question that leaves too little room for windows, or none at all', async () => {
    await using face = await open();
    const long = 'How old was the lazy dog of Cunard that sailed from London with the White Star Line?';
    await expect(face.predict({ question, context: '2' }, { question: long, context: filler })).rejects.toMatchObject({
      code: 'TEXT_TOO_LONG',
      faults: [{ location: [1, 'question'], message: expect.stringContaining('that windows share') }],
    });
    await expect(face.predict({ question: filler, context: '2' })).rejects.toMatchObject({
      code: 'TEXT_TOO_LONG',
      faults: [{ location: [0, 'question'], message: expect.stringContaining('expected fewer than 40') }],
    });
  });
});

describe('a model that answers no questions', () => {
  it('has no such face without its outputs', async () => {
    const other = textSignature([outputSpecs[0] ?? fail()]);
    const manifest = { face: { kind: 'question-answering' } };
    await using none = await open({ signature: other });
    expect(none.report.state).toBe('none');
    await expect(open({ signature: other, manifest })).rejects.toMatchObject({
      code: 'FACE_INVALID',
      message: expect.stringContaining('the model has no output end_logits'),
    });
  });

  it('is told that its tokenizer is missing', async () => {
    await using none = await openFake({ signature, outputs });
    expect(none.report).toEqual({ state: 'none', why: 'tokenizer.json is missing' });
  });
});

function fail(): never {
  throw new Error('no output');
}
