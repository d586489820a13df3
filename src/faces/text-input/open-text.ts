import type { TextSettings } from '../../models/face-settings/text-settings.ts';
import type { ServedModel } from '../../serving/served-model.ts';
import type { Tensors } from '../../tensor/tensor.ts';
import { type EncodedText, type EncodeOptions, TextEncoder, type TextPair } from '../../texts/text-encoder.ts';
import { readTextLimits } from '../../texts/text-limits.ts';
import { fixedLength, type TokenRow, tokenInputFaults, tokenInputs } from '../../texts/token-inputs.ts';
import { invalidFace, refuseFaults } from '../face-faults.ts';
import type { FaceSource } from '../face-kind.ts';
import { bucketOf } from './buckets.ts';

type TooLong = NonNullable<TextSettings['tooLong']>;

export interface OpenTextOptions {
  readonly settings: TextSettings | undefined;
  /** What becomes of a text with too many tokens, where nothing is said. */
  readonly tooLong: TooLong;
  /** What can become of one. */
  readonly kinds: readonly TooLong[];
  /** Most tokens of a run where `model.json` does not say it, if the files allow more. */
  readonly usualMaxLength?: number;
}

const usualMaxBytes = 2 ** 20;
/** Of transformers, also for question answering. */
const usualStride = 128;

/** How the texts of a face become inputs of its model. */
export interface FaceText {
  readonly maxBytes: number;
  readonly tooLong: TooLong;
  /** Tokens that windows share. */
  readonly stride: number;
  readonly encoder: TextEncoder;
  /** As `model.json` would say it. */
  readonly settings: TextSettings;
  encode(texts: readonly string[], options: EncodeOptions): Promise<readonly EncodedText[]>;
  encodePairs(pairs: readonly TextPair[], options: EncodeOptions): Promise<readonly EncodedText[]>;
  /** The inputs, padded to a length that other requests are likely to have too. */
  inputs(rows: readonly TokenRow[], model: Pick<ServedModel, 'signature'>): Tensors;
  close(): void;
}

/**
 * Loads the tokenizer of a version, and finds out how its texts are cut and padded.
 *
 * @throws AppError `FACE_INVALID` with every fault
 */
export async function openText(
  { material, companions, tools }: Pick<FaceSource, 'material' | 'companions' | 'tools'>,
  { settings, tooLong: usual, kinds, usualMaxLength = Number.POSITIVE_INFINITY }: OpenTextOptions,
): Promise<FaceText> {
  const path = companions.path('tokenizer.json');
  const tooLong = settings?.tooLong ?? usual;
  const { signature } = material.predictor;
  const faults = [...tokenInputFaults(signature)];
  if (path === undefined) faults.push('tokenizer.json is missing');
  if (!kinds.includes(tooLong)) faults.push(`face.text.tooLong: expected ${kinds.join(' or ')}, received ${tooLong}`);
  refuseFaults(faults);
  if (path === undefined) throw invalidFace(['tokenizer.json is missing']);
  const [tokenizer = {}, model = {}, sentences = {}] = await Promise.all([
    companions.object('tokenizer_config.json'),
    companions.object('config.json'),
    companions.object('sentence_bert_config.json'),
  ]);
  companions.checkSize('tokenizer.json');
  const held = await tools.texts.load(path);
  const limits = readTextLimits({ tokenizer, model, sentences }, held.facts.ids, settings?.maxLength);
  const fixed = fixedLength(signature);
  const encoder = new TextEncoder(tools.texts, held, {
    ...limits,
    maxLength: Math.min(settings?.maxLength ?? Math.min(limits.maxLength, usualMaxLength), fixed ?? Infinity),
  });
  const shared = Math.min(usualStride, Math.floor(encoder.limits.maxLength / 2), encoder.room - 1);
  const stride = settings?.stride ?? (kinds.includes('windows') ? shared : 0);
  if (encoder.room < 1 || stride >= encoder.room) {
    encoder.close();
    throw invalidFace([
      `face.text: ${encoder.limits.maxLength} tokens leave ${encoder.room} for texts, and windows share ${stride}`,
    ]);
  }
  const { maxLength } = encoder.limits;
  const maxBytes = settings?.maxBytes ?? usualMaxBytes;
  return {
    maxBytes,
    tooLong,
    stride,
    encoder,
    settings: { maxLength, tooLong, ...(tooLong === 'windows' && { stride }), maxBytes },
    encode: (texts, options) => encoder.encode(texts, options),
    encodePairs: (pairs, options) => encoder.encodePairs(pairs, options),
    inputs: (rows, served) => {
      const longest = rows.reduce((most, { ids }) => Math.max(most, ids.length), 1);
      const length = fixed ?? bucketOf(longest, maxLength);
      return tokenInputs(served.signature, rows, length, encoder.limits);
    },
    close: () => encoder.close(),
  };
}
