import { z } from 'zod';
import { queryNumber } from '../http/terms/query-number.ts';
import { storableText } from '../storage/storable-text.ts';
import { predictionIdPattern } from './recording/prediction-id.ts';
import { feedbackSchema } from './stored-prediction.ts';
import { parseMoment } from './time-window.ts';

const flag = z
  .enum(['true', 'false'])
  .transform((text) => text === 'true')
  .optional();

const moment = z
  .string()
  .max(40)
  .refine((text) => parseMoment(text, 0) !== undefined, 'Expected a time such as 2026-11-21T08:00:00Z, or 24h')
  .optional();

export const predictionId = z.string().regex(predictionIdPattern).describe('As in the header `x-prediction-id`');

export const predictionParams = z.object({ id: predictionId });

/** What both the list and the export choose by. */
const filterFields = {
  model: storableText(128).optional(),
  version: storableText(15).optional(),
  since: moment.describe('From then on: a time of ISO 8601, or how long ago, such as `24h`, `30m`, `7d`'),
  until: moment.describe('Before then'),
  status: storableText(64).optional().describe('`OK`, or the code of an error'),
  key: storableText(256).optional().describe('Name or id of an API key'),
  request_id: storableText(128).optional(),
  step: storableText(64).optional().describe('Name of a step of a graph that ran'),
  arm: storableText(16).optional().describe('Arm of a switch of a graph that was taken: its index, or `otherwise`'),
  role: z
    .enum(['primary', 'shadow', 'all'])
    .default('primary')
    .describe('Predictions, what shadows have made of their inputs, or both'),
  has_feedback: flag.describe('Only those with feedback, or without'),
};

export const filterQuery = z.strictObject(filterFields);

export const listQuery = z.strictObject({
  ...filterFields,
  limit: queryNumber(z.number().int().min(1).max(1000)).default(50),
  cursor: predictionId.optional().describe('`next_cursor` of the page before'),
});

export const exportQuery = z.strictObject({
  ...filterFields,
  format: z.enum(['jsonl', 'csv', 'parquet']).default('jsonl'),
  limit: queryNumber(z.number().int().min(1)).optional().describe('Unset: all'),
});

export type FilterQuery = z.output<typeof filterQuery>;

export const feedbackBody = z
  .strictObject({
    label: z
      .union(
        [storableText(1000), z.number(), z.boolean()],
        'Expected a text of up to 1000 characters, a number, true or false; a whole number beyond 2^53 is a text',
      )
      .optional()
      .describe('The true answer: a class, or a number'),
    score: z.number().min(-1e9).max(1e9).optional().describe('How good the answer was, on a scale of your own'),
    comment: storableText(10_000).optional(),
  })
  .refine((body) => Object.values(body).some((value) => value !== undefined), 'Expected label, score or comment');

const phases = z.object({
  total_ms: z.number().nullable(),
  encode_ms: z.number().nullable(),
  queue_ms: z.number().nullable(),
  batch_ms: z.number().nullable(),
  infer_ms: z.number().nullable(),
  batch_rows: z.int().nullable().describe('Rows that shared the run'),
});

export const predictionSchema = z.object({
  id: z.string(),
  at: z.string().describe('When it ended'),
  request_id: z.string(),
  model: z.string(),
  version: z.string().nullable(),
  domain: z.string().nullable().describe('Whose terms inputs and outputs are in; null: tensors by name'),
  key: z.object({ id: z.string(), name: z.string() }).nullable().describe('API key of the caller'),
  status: z.string().describe('`OK`, or the code of an error'),
  phases,
  inputs: z.any(),
  outputs: z.any(),
  options: z
    .any()
    .describe(
      'What the request said beside its instances, such as `top_k`; null: nothing, or no domain that has options',
    ),
  steps: z
    .array(
      z.object({
        name: z.string(),
        model: z.string().optional(),
        version: z.string().optional(),
        arm: z.string().optional().describe('Of a switch: the index of the arm, or otherwise'),
        outcome: z.enum(['ok', 'skipped', 'failed', 'fell_back', 'timeout']),
        ms: z.number(),
      }),
    )
    .nullable()
    .describe('What became of the steps of a graph; null for other models'),
  role: z
    .enum(['shadow'])
    .nullable()
    .describe('`shadow`: made by another version of the inputs of a prediction, to compare'),
  of: z.string().nullable().describe('Of a shadow: the id of that prediction, which has the inputs'),
  feedback: feedbackSchema.nullable().describe('What counts: the last label, score and comment'),
});

export type PredictionBody = z.input<typeof predictionSchema>;

export const predictionWithHistory = predictionSchema.extend({
  feedback_history: z.array(feedbackSchema).describe('All feedback, the oldest first'),
});

export const droppedSchema = z
  .record(z.string(), z.int())
  .describe('Predictions that this process has not kept since it started, by reason');

export const predictionList = z.object({
  predictions: z.array(predictionSchema).describe('The newest first'),
  next_cursor: z.string().optional().describe('Asks for the next page; absent on the last'),
  dropped: droppedSchema,
});

/** What a query that has been checked chooses. */
export function filterOf(query: FilterQuery, nowMs: number) {
  return {
    model: query.model,
    version: query.version,
    status: query.status,
    key: query.key,
    requestId: query.request_id,
    step: query.step,
    arm: query.arm,
    role: query.role,
    hasFeedback: query.has_feedback,
    sinceMs: query.since === undefined ? undefined : parseMoment(query.since, nowMs),
    untilMs: query.until === undefined ? undefined : parseMoment(query.until, nowMs),
  };
}
