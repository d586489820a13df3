import { z } from 'zod';

export const tooLong = z.enum(['error', 'truncate', 'windows']);

/** How texts become tokens; the files of the tokenizer say what is not given. */
export const textSettings = z.strictObject({
  maxLength: z.int().min(2).max(1_000_000).exactOptional().describe('Most tokens of a run, special ones included'),
  tooLong: tooLong
    .exactOptional()
    .describe('A text with more tokens: refuse it, cut it and say so, or run it in windows'),
  stride: z.int().min(0).max(1_000_000).exactOptional().describe('Tokens that windows share'),
  maxBytes: z
    .int()
    .min(1)
    .max(64 * 2 ** 20)
    .exactOptional()
    .describe('Most bytes of a text; unset: 1 MiB'),
});

export type TextSettings = z.output<typeof textSettings>;

const template = z.record(z.string(), z.string()).exactOptional().describe('The example of the documentation');
const scoreFunction = z.enum(['softmax', 'sigmoid', 'none']);

/** What `model.json` says of a face that gives texts a class. */
export const textClassificationSettings = z.strictObject({
  kind: z.literal('text-classification').describe('The class of a text'),
  output: z.string().exactOptional().describe('Output with the scores; unset: logits, or the only one'),
  function: scoreFunction.exactOptional().describe('From scores to probabilities; unset: as config.json says'),
  topK: z.int().min(1).nullable().exactOptional().describe('Most classes of an answer; null: all'),
  text: textSettings.exactOptional(),
  template,
});

export const aggregations = ['none', 'simple', 'first', 'average', 'max'] as const;

/** What `model.json` says of a face that finds the names in texts. */
export const tokenClassificationSettings = z.strictObject({
  kind: z.literal('token-classification').describe('The names in a text, with where they stand'),
  output: z.string().exactOptional().describe('Output with the scores; unset: logits, or the only one'),
  aggregation: z
    .enum(aggregations)
    .exactOptional()
    .describe('How tokens become entities: none gives each token by itself; unset: simple'),
  ignore: z.array(z.string()).exactOptional().describe('Labels that are left out; unset: O'),
  text: textSettings.exactOptional(),
  template,
});

/** What `model.json` says of a face that answers questions from texts. */
export const questionAnsweringSettings = z.strictObject({
  kind: z.literal('question-answering').describe('The answer to a question in a text, with where it stands'),
  maxAnswerTokens: z.int().min(1).max(1000).exactOptional().describe('Most tokens of an answer; unset: 15'),
  noAnswer: z.boolean().exactOptional().describe('Whether null may be the answer; unset: false'),
  text: textSettings.exactOptional(),
  template,
});

const poolings = z.enum(['mean', 'cls', 'max', 'lasttoken', 'mean_sqrt_len', 'weightedmean']);

/** What `model.json` says of a face that gives texts a vector. */
export const embeddingSettings = z.strictObject({
  kind: z.literal('embedding').describe('A vector for a text'),
  output: z
    .string()
    .exactOptional()
    .describe('Output with the vectors; unset: sentence_embedding, or last_hidden_state'),
  pooling: z
    .union([poolings, z.array(poolings).min(1)])
    .exactOptional()
    .describe(
      'One vector of those of all tokens; several are put behind each other; unset: as 1_Pooling says, or mean',
    ),
  normalize: z.boolean().exactOptional().describe('To the length 1; unset: as modules.json says'),
  prompts: z
    .record(z.string(), z.string())
    .exactOptional()
    .describe('Beginnings that a request names: {"query": "query: "}'),
  prompt: z.string().nullable().exactOptional().describe('Name of the beginning where a request names none'),
  dimensions: z
    .array(z.int().min(1))
    .min(1)
    .exactOptional()
    .describe('The only numbers of dimensions that vectors may be cut to; unset: any'),
  text: textSettings.exactOptional(),
  template: z.record(z.string(), z.string()).exactOptional().describe('The example of the documentation'),
});

/** What `model.json` says of a face that says how well documents answer a query. */
export const rerankingSettings = z.strictObject({
  kind: z.literal('reranking').describe('How well documents answer a query'),
  output: z.string().exactOptional().describe('Output with the scores; unset: logits, or the only one'),
  function: z
    .enum(['sigmoid', 'none'])
    .exactOptional()
    .describe('From scores to relevance; unset: as config.json says'),
  text: textSettings.exactOptional(),
  template: z
    .strictObject({ query: z.string(), documents: z.array(z.string()).min(1) })
    .exactOptional()
    .describe('The example of the documentation'),
});

export type PoolingMode = z.output<typeof poolings>;
