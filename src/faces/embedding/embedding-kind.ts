import { z } from 'zod';
import { type AnyDomain, defineDomain } from '../../domains/define-domain.ts';
import { AppError } from '../../errors.ts';
import { queryNumber } from '../../http/terms/query-number.ts';
import type { PoolingMode } from '../../models/face-settings/text-settings.ts';
import type { Signature, TensorSpec } from '../../tensor/tensor.ts';
import type { EncodedText } from '../../texts/encoded-text.ts';
import type { EncodeOptions, TextEncoder } from '../../texts/text-encoder.ts';
import { architectureOf } from '../architecture.ts';
import type { Companions } from '../companions.ts';
import { invalidFace } from '../face-faults.ts';
import { type CreatedFace, defineFaceKind, type FaceSource, type FaceTrace } from '../face-kind.ts';
import { byGroups } from '../text-input/by-groups.ts';
import { openText } from '../text-input/open-text.ts';
import { tooLongOf } from '../text-input/option-of-result.ts';
import { textField } from '../text-input/text-field.ts';
import { traceTokenizer } from '../text-input/trace-tokenizer.ts';
import { embed } from './embed.ts';
import { readModules } from './read-modules.ts';

type Source = FaceSource<'embedding'>;

const Embedding = z.object({
  embedding: z.array(z.number()).describe('The vector of the text'),
  tokens: z.int().min(0).describe('Tokens of the text, special ones included'),
  truncated: z.boolean().describe('Whether the text was cut'),
});

interface Counted {
  readonly tokens: number;
  readonly promptTokens: number;
  readonly truncated: boolean;
}

/** A text, or the ids of its tokens where a client has made them. */
interface EmbeddingInstance {
  readonly text?: string;
  readonly prompt?: string | undefined;
  readonly ids?: readonly number[];
}

/** What `bind` of the options of an embedding takes. */
export interface EmbeddingOptions {
  readonly dimensions?: number | undefined;
  readonly too_long?: 'error' | 'truncate' | undefined;
  readonly normalize?: boolean | undefined;
}

/** A vector for a text: sentence-transformers, and models of transformers without a head. */
export const embeddingKind = defineFaceKind({ kind: 'embedding', find, create });

async function find({ companions, material }: Source): Promise<FaceTrace> {
  const architecture = await architectureOf(companions);
  const names = material.predictor.signature.outputs.map(({ name }) => name);
  const hasVectors = names.includes('sentence_embedding') || names.includes('last_hidden_state');
  const hasHead = architecture !== undefined && /For[A-Z]/.test(architecture);
  if (!companions.has('modules.json') && !(hasVectors && !hasHead)) return undefined;
  const modules = await companions.json('modules.json');
  if (modules === undefined && !companions.has('tokenizer.json') && architecture === undefined) return undefined;
  return traceTokenizer(companions);
}

async function create(
  { material, companions, settings, tools }: Source,
  signal: AbortSignal | undefined,
): Promise<CreatedFace> {
  const { name, manifest, predictor } = material;
  const modules = await readModules(companions);
  const output = vectorsOutput(predictor.signature, settings?.output);
  const pooling: readonly PoolingMode[] =
    settings?.pooling === undefined ? (modules?.pooling ?? ['mean']) : [settings.pooling].flat();
  const usualSteps = {
    pooling: pooling.length === 0 ? (['mean'] as const) : pooling,
    dense: modules?.dense ?? [],
    normalize: settings?.normalize ?? modules?.normalize ?? false,
  };
  const { prompts, prompt: usualPrompt } = await readPrompts(companions, settings);
  const allowed = settings?.dimensions;
  const given = settings?.template ?? (await companions.object('example.json'));
  const text = await openText(
    { material, companions, tools },
    { settings: settings?.text, tooLong: 'truncate', kinds: ['error', 'truncate'] },
    signal,
  );
  const { paddingSide } = text.encoder.limits;
  const names = Object.keys(prompts);
  const field = { text: textField(text.maxBytes) };
  const promptField = z.enum(names).optional().describe('Beginning that is put before the text');
  const input: z.ZodType<EmbeddingInstance, { text: string; prompt?: string | undefined }> =
    names.length > 0 ? z.strictObject({ ...field, prompt: promptField }) : z.strictObject(field);
  const domainWith = ({
    dimensions,
    too_long: asked,
    normalize = usualSteps.normalize,
  }: EmbeddingOptions): AnyDomain => {
    const steps = { ...usualSteps, normalize };
    const counted = new WeakMap<object, Counted>();
    const tooLong = (asked ?? text.tooLong) === 'truncate' ? 'truncate' : 'error';
    return defineDomain({
      name,
      model: name,
      summary: manifest.description ?? 'A vector for this text.',
      input,
      output: Embedding,
      target: 'embedding',
      examples: [{ text: text.example, ...given }],
      form: true,
      ...byGroups(async (instances: readonly EmbeddingInstance[], model, context) => {
        const beginnings = instances.map(({ ids, prompt = usualPrompt }) =>
          // Nothing is put before tokens that a client has made.
          ids === undefined && prompt !== undefined ? (prompts[prompt] ?? '') : '',
        );
        const encoded = await encodeMixed(
          text.encoder,
          instances.map((instance, index) => instance.ids ?? `${beginnings[index] ?? ''}${instance.text}`),
          { tooLong, locate: (index) => [index, 'text'], signal: context.signal },
        );
        const promptTokens =
          modules?.includePrompt === false ? await countPrompts(beginnings, context.signal) : undefined;
        for (const [index, { count, ids, isTruncated }] of encoded.entries()) {
          const instance = instances[index];
          const own = promptTokens?.get(beginnings[index] ?? '') ?? 0;
          const tokens = isTruncated ? ids.length : count;
          if (instance !== undefined) counted.set(instance, { tokens, promptTokens: own, truncated: isTruncated });
        }
        return text.groups(encoded, model);
      }),
      decode: (outputs, instances) =>
        instances.map((instance, row) => {
          const tensor = outputs[output.name];
          const { tokens, promptTokens, truncated } = counted.get(instance) ?? {
            tokens: 0,
            promptTokens: 0,
            truncated: false,
          };
          if (tensor === undefined)
            throw new AppError('INTERNAL', { message: `The model gave no output ${output.name}` });
          checkDimensions(dimensions, allowed, sizeOf(tensor.shape.at(-1) ?? 0, steps));
          const vector = embed(tensor, { row, tokens, promptTokens, paddingSide }, steps, dimensions);
          return { embedding: numbersOf(vector), tokens, truncated };
        }),
    });
  };
  const countPrompts = async (beginnings: readonly string[], abort: AbortSignal) => {
    const unlike = [...new Set(beginnings)].filter((beginning) => beginning !== '');
    const encoded = await text.encode(unlike, { tooLong: 'truncate', locate: () => [], signal: abort });
    const [, after] = text.encoder.facts.template.single;
    return new Map(encoded.map(({ ids }, index) => [unlike[index] ?? '', ids.length - after.length]));
  };
  return {
    domain: domainWith({}),
    settings: {
      kind: 'embedding',
      output: output.name,
      pooling: usualSteps.pooling.length === 1 ? usualSteps.pooling[0] : usualSteps.pooling,
      normalize: usualSteps.normalize,
      ...(names.length > 0 && { prompts, prompt: usualPrompt ?? null }),
      ...(allowed !== undefined && { dimensions: allowed }),
      text: text.settings,
    },
    options: {
      schema: z.object({
        dimensions: queryNumber(z.int().min(1)).optional().describe('Cuts the vector to so many dimensions'),
        too_long: z
          .enum(['error', 'truncate'])
          .optional()
          .describe(`A text with too many tokens; absent: ${text.tooLong}`),
      }),
      bind: domainWith,
      ofResult: (result) => ({
        ...tooLongOf(result),
        ...(Array.isArray(result['embedding']) && { dimensions: result['embedding'].length }),
      }),
    },
    padding: text.padding,
    close: async () => text.close(),
  };
}

/** Much faster than `Array.from`, which asks the vector for an iterator: a thousand texts have a million numbers. */
function numbersOf(vector: Float32Array): number[] {
  const numbers = new Array<number>(vector.length);
  for (let index = 0; index < vector.length; index++) numbers[index] = vector[index] ?? 0;
  return numbers;
}

/** Texts and lists of ids in one order. */
async function encodeMixed(
  encoder: TextEncoder,
  inputs: readonly (string | readonly number[])[],
  options: EncodeOptions,
): Promise<readonly EncodedText[]> {
  const texts = inputs.filter((input) => typeof input === 'string');
  const ofTexts = texts.length === 0 ? [] : await encoder.encode(texts, options);
  const ofIds = encoder.wrap(
    inputs.filter((input) => typeof input !== 'string'),
    options,
  );
  let [text, list] = [0, 0];
  return inputs.flatMap((input) => (typeof input === 'string' ? ofTexts[text++] : ofIds[list++]) ?? []);
}

function sizeOf(
  hidden: number,
  { pooling, dense }: { pooling: readonly unknown[]; dense: readonly { outputs: number }[] },
) {
  return dense.at(-1)?.outputs ?? hidden * Math.max(1, pooling.length);
}

/** @throws AppError `DIMENSIONS_UNSUPPORTED` */
function checkDimensions(asked: number | undefined, allowed: readonly number[] | undefined, most: number): void {
  if (asked === undefined || asked === most) return;
  const isAllowed = allowed === undefined ? asked <= most : allowed.includes(asked);
  if (isAllowed) return;
  const expected = allowed === undefined ? `at most ${most}` : allowed.join(', ');
  const message = `The vectors cannot have ${asked} dimensions; expected ${expected}`;
  const faults = [{ location: ['query', 'dimensions'], type: 'dimensions_unsupported', message }];
  throw new AppError('DIMENSIONS_UNSUPPORTED', { message, received: asked, expected, faults });
}

/** The output with the vectors of texts, or else of tokens. */
function vectorsOutput({ outputs }: Signature, name: string | undefined): TensorSpec {
  const wanted = name === undefined ? ['sentence_embedding', 'last_hidden_state', 'token_embeddings'] : [name];
  const found = wanted
    .map((one) => outputs.find((output) => output.name === one))
    .find((output) => output !== undefined);
  const only = name === undefined && outputs.length === 1 ? outputs[0] : undefined;
  const output = found ?? only;
  if (output !== undefined && (output.shape.length === 2 || output.shape.length === 3)) return output;
  const names = outputs.map((one) => `${one.name} [${one.shape.join(',')}]`).join(', ');
  throw invalidFace([`face.output: expected vectors of texts or tokens, the outputs are ${names}`]);
}

async function readPrompts(
  companions: Companions,
  settings: Source['settings'],
): Promise<{ readonly prompts: Readonly<Record<string, string>>; readonly prompt: string | undefined }> {
  const config = await companions.object('config_sentence_transformers.json');
  const ofFile = z.record(z.string(), z.string()).safeParse(config?.['prompts']);
  const prompts = settings?.prompts ?? (ofFile.success ? ofFile.data : {});
  const ofConfig = config?.['default_prompt_name'];
  const prompt =
    settings?.prompt === undefined
      ? typeof ofConfig === 'string'
        ? ofConfig
        : undefined
      : (settings.prompt ?? undefined);
  if (prompt !== undefined && !Object.hasOwn(prompts, prompt)) {
    throw invalidFace([
      `face.prompt: there is no prompt ${JSON.stringify(prompt)}, but ${Object.keys(prompts).join(', ')}`,
    ]);
  }
  return { prompts, prompt };
}
