import { isDeepStrictEqual } from 'node:util';
import { z } from 'zod';
import { AppError } from '../errors.ts';
import { faceSettings } from './face-settings/face-settings.ts';
import { trafficSettings } from './traffic/traffic-settings.ts';

/** Most rows of a run that requests share, and that one request fills, unless the manifest has a number of its own. */
const defaultRows = { shared: 32, oneRequest: 1024 };

function isAscending(numbers: readonly number[]): boolean {
  return numbers.every((number, index) => index === 0 || number > (numbers[index - 1] ?? 0));
}

const batching = z
  .strictObject({
    enabled: z
      .union([z.boolean(), z.literal('auto')], 'expected "auto", true or false')
      .default('auto')
      .describe(
        'Let requests share runs: auto (where a trial shows that rows are independent), true (they are), false',
      ),
    maxSize: z
      .int()
      .min(1)
      .max(65_536)
      .optional()
      .describe('Most rows of one run; unset: 32, and up to 1024 of one request where that is as fast'),
    maxDelayMs: z.number().min(0).max(60_000).default(0).describe('How long a request may wait for a fuller batch'),
    maxQueueRows: z.int().min(1).max(10_000_000).default(4096).describe('Most rows that may wait'),
    maxQueueBytes: z
      .int()
      .min(1)
      .max(2 ** 40)
      .default(256 * 1024 * 1024)
      .describe('Most bytes of tensors that may wait'),
    maxTokens: z
      .int()
      .min(1)
      .max(2 ** 24)
      .default(4096)
      .describe('Most tokens, padding included, that the texts of one request put into a run'),
    buckets: z
      .array(z.int().min(1).max(1_000_000))
      .min(1)
      .max(100)
      .refine(isAscending, 'expected numbers in ascending order')
      .exactOptional()
      .describe('Lengths in tokens that texts are padded to, ascending; longer texts are padded to the most tokens'),
    pad: z
      .boolean()
      .default(true)
      .describe(
        'Whether texts of unlike length are padded to share runs, where a trial shows that it changes no answer',
      ),
  })
  .prefault({})
  .transform(({ maxSize, ...others }) => ({
    ...others,
    maxSize: maxSize ?? defaultRows.shared,
    maxRequestRows: maxSize ?? defaultRows.oneRequest,
  }));

const provider = z.union(
  [z.string(), z.looseObject({ name: z.string() })],
  'expected the name of an execution provider, or an object with its name',
);

const session = z
  .strictObject({
    providers: z.array(provider).min(1).exactOptional().describe('Execution providers of ONNX Runtime, best first'),
    intraOpThreads: z
      .union([z.literal('auto'), z.int().min(1).max(1024)], 'expected "auto" or a whole number from 1 to 1024')
      .default('auto')
      .describe('Threads in an operator; auto: what a trial at load finds, at most cores / instances'),
    spinning: z.boolean().default(false).describe('Let idle threads wait actively: sooner at work, but a core is busy'),
    interOpThreads: z.int().min(1).max(1024).exactOptional().describe('Threads between operators, in parallel mode'),
    executionMode: z.enum(['sequential', 'parallel']).exactOptional(),
    graphOptimization: z.enum(['disabled', 'basic', 'extended', 'layout', 'all']).exactOptional(),
    arena: z.boolean().exactOptional().describe('Keep freed memory for the next run'),
  })
  .prefault({});

/** Beyond 2^53 − 1, JSON has it as text. */
const versionNumber = z.union(
  [z.int().min(1), z.string().regex(/^[1-9][0-9]{0,18}$/)],
  'expected a whole number from 1 up, or its digits as a text',
);

const versionPolicy = z
  .union(
    [
      z.strictObject({ latest: z.int().min(1).max(1000) }).describe('The n highest versions'),
      z.strictObject({ specific: z.array(versionNumber).min(1) }).describe('These versions only'),
      z.literal('all').describe('Every version'),
    ],
    'expected {"latest": 1 to 1000}, {"specific": [version, …]} or "all"',
  )
  .default({ latest: 1 });

const jsonTensor = z.strictObject({
  datatype: z.string().describe('As in the Open Inference Protocol: FP32, INT64, BYTES …'),
  shape: z.array(z.int().min(0)),
  data: z.array(z.json()).describe('The elements, flat or nested'),
});

const predictionLog = z
  .strictObject({
    share: z
      .number()
      .min(0)
      .max(1)
      .exactOptional()
      .describe('Part of the predictions that is kept, from 0 to 1; unset: PREDICTIONS'),
    redact: z.array(z.string()).default([]).describe('Fields, inputs and outputs whose values are never kept'),
    files: z.boolean().default(false).describe('Keep pictures and other files whole, not only their digest'),
    target: z
      .string()
      .exactOptional()
      .describe('Output that a true label is compared with; unset: the first that is not a float'),
    task: z.enum(['classification', 'regression']).default('classification').describe('How answers are judged'),
  })
  .prefault({});

const cache = z
  .strictObject({
    ttlS: z.number().min(0.001).max(31_536_000).default(300).describe('How long an answer is kept, in seconds'),
    maxInputBytes: z
      .int()
      .min(1)
      .max(2 ** 31)
      .default(1024 * 1024)
      .describe('Larger requests are not looked up, in bytes of their tensors'),
    shared: z.boolean().default(false).describe('Whether servers share answers, by the Redis of REDIS_URL'),
    scope: z
      .enum(['all', 'key'])
      .default('all')
      .describe('Who gets an answer that was kept: all who ask the same, or the API key alone that has asked'),
  })
  .describe('Answers that are kept for requests of equal inputs; unset: none');

/** `model.json`: everything that is said about a model beside its graph. Every key is optional. */
export const manifestSchema = z
  .strictObject({
    $schema: z.string().optional(),
    description: z.string().optional().describe('What the model does, in a sentence'),
    labels: z
      .record(z.string(), z.array(z.string()).min(1))
      .default({})
      .describe('Class names in the order of the indices, by output'),
    batching,
    instances: z.int().min(1).max(256).default(1).describe('Runner processes'),
    versionPolicy,
    versionLabels: z
      .record(z.string().regex(/^[^:/]+$/, 'expected a name without ":" and "/"'), versionNumber)
      .default({})
      .describe('Names of versions, such as {"stable": 1}, for /v1/models/{name}/labels/{label}'),
    timeoutMs: z.int().min(1).max(3_600_000).default(30_000).describe('Longest deadline of a prediction'),
    loadTimeoutMs: z
      .int()
      .min(1)
      .max(3_600_000)
      .default(120_000)
      .describe('Longest time for loading and warming up, and then again for making and trying the typed face'),
    memoryLimitMb: z.int().min(16).optional().describe('A runner that takes more is replaced'),
    maxOutputBytes: z
      .int()
      .min(1)
      .max(2 ** 32)
      .exactOptional()
      .describe('Most bytes of the outputs of a run for one request; unset: OUTPUT_LIMIT_BYTES'),
    session,
    warmup: z
      .array(z.record(z.string(), jsonTensor))
      .default([])
      .describe('Requests that must succeed before the model is ready; unset: made from the signature'),
    internal: z
      .boolean()
      .default(false)
      .describe('Whether only graphs, and keys with the scope admin, may ask the model'),
    traffic: trafficSettings
      .exactOptional()
      .describe('Which versions answer requests that name none; unset: the highest'),
    predictionLog,
    cache: cache.exactOptional(),
    face: faceSettings
      .exactOptional()
      .describe('The typed route /{name}/predict; unset: as the files beside the graph say; false: none'),
    metadata: z.record(z.string(), z.json()).default({}).describe('Anything else: training data, score, owner'),
  })
  .meta({ title: 'inferd model manifest' });

export type Manifest = z.output<typeof manifestSchema>;

/** The JSON Schema by which editors complete `model.json`. */
export function manifestJsonSchema(): unknown {
  return z.toJSONSchema(manifestSchema, { io: 'input' });
}

/** What holds for a model without a `model.json`. */
export function defaultManifest(): Manifest {
  return manifestSchema.parse({});
}

/** Those of the keys that the manifest says something by: for a kind of model that they mean nothing to. */
export function idleKeys(manifest: Manifest, keys: readonly (keyof Manifest)[]): readonly string[] {
  const usual = defaultManifest();
  return keys.filter((key) => !isDeepStrictEqual(manifest[key], usual[key]));
}

/**
 * Reads the text of a `model.json`.
 *
 * @param source where the text comes from, for messages
 * @throws AppError `MANIFEST_INVALID`, naming every key that is wrong
 */
export function parseManifest(source: string, json: string): Manifest {
  const result = manifestSchema.safeParse(parseJson(source, json));
  if (result.success) return result.data;

  const faults = result.error.issues.map((issue) => ({
    location: issue.path.map((key) => (typeof key === 'symbol' ? String(key) : key)),
    type: issue.code,
    message: `${issue.path.join('.') || source}: ${issue.message}`,
  }));
  throw new AppError('MANIFEST_INVALID', {
    message: `${source} is invalid: ${faults.map((fault) => fault.message).join('; ')}`,
    faults,
  });
}

function parseJson(source: string, json: string): unknown {
  try {
    // Editors of Windows put a byte order mark before UTF-8.
    return JSON.parse(json.replace(/^\uFEFF/, ''));
  } catch (cause) {
    throw new AppError('MANIFEST_INVALID', { message: `${source} is not valid JSON${placeIn(cause)}`, cause });
  }
}

/** Where the parser stopped, if it tells: the rest of what it says may hold a piece of the text, which is for the log. */
function placeIn(cause: unknown): string {
  const place = cause instanceof Error ? /\(line \d+ column \d+\)/.exec(cause.message) : null;
  return place === null ? '' : ` ${place[0]}`;
}
