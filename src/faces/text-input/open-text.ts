import type { TextSettings } from '../../models/face-settings/text-settings.ts';
import type { EncodedGroup } from '../../serving/instance-groups.ts';
import { takesOneAtATime } from '../../serving/separate-instances.ts';
import type { ServedModel } from '../../serving/served-model.ts';
import { elementCount } from '../../tensor/tensor.ts';
import type { EncodedText, TextPair } from '../../texts/encoded-text.ts';
import { type EncodeOptions, TextEncoder } from '../../texts/text-encoder.ts';
import { readTextLimits } from '../../texts/text-limits.ts';
import { fixedLength, type TokenRow, tokenInputFaults } from '../../texts/token-inputs.ts';
import { inTurns } from '../../timing/turns.ts';
import type { FaceCounters } from '../face-counters.ts';
import { invalidFace, refuseFaults } from '../face-faults.ts';
import type { FaceSource } from '../face-kind.ts';
import { bucketOf } from './buckets.ts';
import { exampleText } from './example-text.ts';
import { type GroupOptions, groupTexts } from './group-texts.ts';
import { type Padding, provePadding } from './prove-padding.ts';

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
  /** A text for the documentation that is not too long. */
  readonly example: string;
  readonly tooLong: TooLong;
  /** Tokens that windows share. */
  readonly stride: number;
  readonly encoder: TextEncoder;
  /** As `model.json` would say it. */
  readonly settings: TextSettings;
  encode(texts: readonly string[], options: EncodeOptions): Promise<readonly EncodedText[]>;
  encodePairs(pairs: readonly TextPair[], options: EncodeOptions): Promise<readonly EncodedText[]>;
  /** Whether texts of unlike length share runs. */
  readonly padding: Padding;
  /** The texts in groups that share a run, padded to a length that other requests are likely to have too. */
  groups(
    rows: readonly (TokenRow & { readonly isTruncated?: boolean })[],
    model: Pick<ServedModel, 'signature' | 'independentRows'>,
  ): Promise<readonly EncodedGroup[]>;
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
  signal: AbortSignal | undefined,
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
  const held = await tools.texts.load(path, signal);
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
  const [padding, example] = await Promise.all([tryPadding(encoder, material, signal), fittingExample(encoder)]).catch(
    (thrown: unknown) => {
      encoder.close();
      throw thrown;
    },
  );
  const { maxLength } = encoder.limits;
  const { batching } = material.manifest;
  const maxBytes = settings?.maxBytes ?? usualMaxBytes;
  return {
    maxBytes,
    example,
    tooLong,
    stride,
    encoder,
    settings: { maxLength, tooLong, ...(tooLong === 'windows' && { stride }), maxBytes },
    encode: (texts, options) => encoder.encode(texts, options),
    encodePairs: (pairs, options) => encoder.encodePairs(pairs, options),
    padding,
    groups: async (rows, served) => {
      const work = groupTexts(rows, {
        signature: served.signature,
        limits: encoder.limits,
        sharing: sharingOf(padding, served, batching),
        maxTokens: batching.maxTokens,
        buckets: batching.buckets,
        fixedLength: fixed,
        isSingle: takesOneAtATime(served.signature),
      });
      const groups = await inTurns(work);
      count(tools.counters, material.name, rows, groups);
      return groups;
    },
    close: () => encoder.close(),
  };
}

/** Unlike in length, and of tokens that most models know. */
const trialTexts = ['good', 'The quick brown fox jumps over the lazy dog, and nobody knows why it does.', 'A word'];

async function tryPadding(
  encoder: TextEncoder,
  { predictor, manifest }: FaceSource['material'],
  signal = new AbortController().signal,
): Promise<Padding> {
  const fixed = fixedLength(predictor.signature);
  if (fixed !== undefined) return { joined: true, why: `The model takes ${fixed} tokens of each text.` };
  const { pad, buckets } = manifest.batching;
  if (!pad) return { joined: false, why: 'model.json says "pad": false: only texts of one length share runs.' };
  const rows = await encoder.encode(trialTexts, { tooLong: 'truncate', locate: () => [], signal });
  const longest = rows.reduce((most, { ids }) => Math.max(most, ids.length), 1);
  const length = bucketOf(longest + 1, encoder.limits.maxLength, buckets);
  const deadlineMs = performance.now() + manifest.loadTimeoutMs;
  const context = { requestId: 'padding-trial', signal, deadlineMs, arrivedAt: Date.now() };
  return provePadding({ predictor, rows, length, limits: encoder.limits, context });
}

function sharingOf(
  padding: Padding,
  { independentRows }: Pick<ServedModel, 'independentRows'>,
  { pad }: FaceSource['material']['manifest']['batching'],
): GroupOptions['sharing'] {
  if (!independentRows) return 'none';
  if (padding.joined) return 'padded';
  return pad ? 'none' : 'exact';
}

/** Half of the room, so that it fits beside another. */
async function fittingExample(encoder: TextEncoder): Promise<string> {
  const [encoded] = await encoder.encode([exampleText], { tooLong: 'truncate', locate: () => [] });
  return encoded !== undefined && encoded.count <= encoder.limits.maxLength / 2 ? exampleText : 'a';
}

function count(
  counters: FaceCounters,
  model: string,
  rows: readonly (TokenRow & { readonly isTruncated?: boolean })[],
  groups: readonly EncodedGroup[],
): void {
  const real = rows.reduce((sum, { ids }) => sum + ids.length, 0);
  const fed = groups.reduce((sum, { inputs }) => sum + elementCount(inputs['input_ids']?.shape ?? [0]), 0);
  counters.recordTokens(model, { real, padding: fed - real });
  const truncated = rows.filter(({ isTruncated }) => isTruncated).length;
  if (truncated > 0) counters.recordTruncated(model, truncated);
}
