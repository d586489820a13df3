import type { ChildProcess } from 'node:child_process';
import { resolve } from 'node:path';
import { AppError } from '../errors.ts';
import { readCompanions } from '../faces/companions.ts';
import { invalidFace } from '../faces/face-faults.ts';
import type { Signature } from '../tensor/tensor.ts';
import type { TextPair } from '../texts/encoded-text.ts';
import { TextEncoder } from '../texts/text-encoder.ts';
import { readTextLimits } from '../texts/text-limits.ts';
import { startTextChild, TextProcess } from '../texts/text-process.ts';
import { fixedLength, tokenInputFaults, tokenInputs } from '../texts/token-inputs.ts';
import type { LoadTokenizer, LoadTokenizerOptions, PadOptions, TokenizeOptions, Tokenizer } from './tokenizer.ts';

const usualTimeoutMs = 120_000;

const tokens = { datatype: 'INT64', shape: [-1, -1] } as const;
const usualSignature: Signature = {
  inputs: ['input_ids', 'attention_mask', 'token_type_ids'].map((name) => ({ name, ...tokens })),
  outputs: [],
};

/**
 * What loads tokenizers into one process. It starts with the first of them, ends with the last, and holds this process open only
 * while it is waited for.
 */
export function tokenizerLoader(startProcess: () => ChildProcess = startTextChild): LoadTokenizer {
  let child: ChildProcess | undefined;
  let waiting = 0;
  const holdOpen = () => {
    const say = waiting > 0 ? 'ref' : 'unref';
    child?.[say]();
    child?.channel?.[say]();
  };
  const start = () => {
    child = startProcess();
    holdOpen();
    return child;
  };
  const whileOpen = async <Result>(work: () => Promise<Result>): Promise<Result> => {
    waiting += 1;
    holdOpen();
    try {
      return await work();
    } finally {
      waiting -= 1;
      holdOpen();
    }
  };
  const process = new TextProcess({ log: { warn: () => {} }, start });
  return (folder, options = {}) =>
    whileOpen(async () => {
      const encoder = await openEncoder(process, folder, options);
      return tokenizerOf(encoder, whileOpen);
    });
}

async function openEncoder(
  process: TextProcess,
  folder: string,
  { maxLength, timeoutMs = usualTimeoutMs }: LoadTokenizerOptions,
): Promise<TextEncoder> {
  const root = resolve(folder);
  const companions = await readCompanions({ root, folders: [root] });
  const path = companions.path('tokenizer.json');
  if (path === undefined) throw invalidFace([`${folder}: tokenizer.json is missing`]);
  companions.checkSize('tokenizer.json');
  const [tokenizer = {}, model = {}, sentences = {}] = await Promise.all([
    companions.object('tokenizer_config.json'),
    companions.object('config.json'),
    companions.object('sentence_bert_config.json'),
  ]);
  const late = new AbortController();
  const timer = setTimeout(
    () => late.abort(invalidFace([`${folder}: the tokenizer is not loaded after ${timeoutMs} ms`])),
    timeoutMs,
  );
  const held = await process.load(path, late.signal).finally(() => clearTimeout(timer));
  return new TextEncoder(process, held, readTextLimits({ tokenizer, model, sentences }, held.facts.ids, maxLength));
}

function tokenizerOf(
  encoder: TextEncoder,
  whileOpen: <Result>(work: () => Promise<Result>) => Promise<Result>,
): Tokenizer {
  let isClosed = false;
  const encode = async (texts: readonly (string | TextPair)[], options: TokenizeOptions) => {
    if (isClosed) throw new AppError('ENCODER_FAILED', { message: 'The tokenizer is closed', retryAfterSeconds: 1 });
    const { tooLong = 'error', locate = (index: number) => [index], signal } = options;
    const places = texts.keys().toArray();
    const isPair = (at: number) => typeof texts[at] === 'object';
    const [alone, together] = [places.filter((at) => !isPair(at)), places.filter(isPair)];
    const at = (list: readonly number[]) => ({
      tooLong,
      locate: (index: number) => locate(list[index] ?? 0),
      ...(signal && { signal }),
    });
    const [singles, pairs] = await Promise.all([
      encoder.encode(
        texts.filter((text) => typeof text === 'string'),
        at(alone),
      ),
      together.length === 0
        ? []
        : encoder.encodePairs(
            texts.filter((text) => typeof text === 'object'),
            at(together),
          ),
    ]);
    let [single, pair] = [0, 0];
    return texts.flatMap((text) => (typeof text === 'string' ? singles[single++] : pairs[pair++]) ?? []);
  };
  const close = () => {
    if (isClosed) return;
    isClosed = true;
    encoder.close();
  };
  return {
    maxLength: encoder.limits.maxLength,
    encode: (texts, options = {}) => whileOpen(() => encode(texts, options)),
    pad: (rows, options = {}) => padded(rows, options, encoder),
    close,
    [Symbol.dispose]: close,
  };
}

function padded(
  rows: Parameters<Tokenizer['pad']>[0],
  { model, length: asked }: PadOptions,
  { limits }: Pick<TextEncoder, 'limits'>,
) {
  const signature = model?.signature ?? usualSignature;
  const longest = rows.reduce((most, { ids }) => Math.max(most, ids.length), 0);
  const length = asked ?? fixedLength(signature) ?? longest;
  const faults = tokenInputFaults(signature);
  if (longest > length) faults.push(`a text has ${longest} tokens, which cannot be padded to ${length}`);
  if (faults.length > 0) throw new AppError('INTERNAL', { message: faults.join('; ') });
  return tokenInputs(signature, rows, length, limits);
}
