import type { ZodTypeProvider } from '@fastify/type-provider-zod';
import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { problemResponses } from '../../http/answer/problem.ts';
import { queryNumber } from '../../http/terms/query-number.ts';
import { droppedSchema } from '../schemas.ts';
import { parseMoment, parseWindow } from '../time-window.ts';
import { type PerformanceDependencies, performanceOf } from './performance.ts';

const moment = z
  .string()
  .max(40)
  .refine((text) => parseMoment(text, 0) !== undefined, 'Expected a time such as 2026-11-21T08:00:00Z, or 24h');

const query = z.strictObject({
  version: z
    .string()
    .max(15)
    .optional()
    .describe('Unset: all for the scores, and the highest that is loaded for the distributions'),
  since: moment.default('7d').describe('From then on: a time of ISO 8601, or how long ago, such as `24h`'),
  until: moment.default('0s').describe('Before then'),
  reference: z
    .string()
    .max(81)
    .refine(
      (text) => text === 'training' || parseWindow(text, 0) !== undefined,
      'Expected training, or <since>/<until>',
    )
    .default('training')
    .describe(
      'What the distributions are compared with: those of the training, or of an earlier time such as `14d/7d`',
    ),
  sample: queryNumber(z.number().int().min(1).max(20_000))
    .default(5000)
    .describe('Most predictions that a distribution is made of, the newest'),
});

const ratio = z.number().nullable();

const score = {
  predictions: z.int(),
  errors: z.int().describe('Predictions that failed'),
  judged: z.int().describe('Predictions with feedback'),
  labelled: z.int().describe('Predictions with a true label that they could be compared with'),
  accuracy: ratio.describe('Part of them that is right; null for regression, and without labels'),
  mean_absolute_error: ratio.describe('For regression'),
  root_mean_square_error: ratio.describe('For regression'),
  scored: z.int().describe('Predictions with a score'),
  mean_score: ratio,
};

const sampleSize = z.object({ count: z.int(), missing_share: z.number() });

const fieldDrift = z.object({
  kind: z.enum(['number', 'text', 'category']),
  psi: ratio.describe('Population stability index: 0 if nothing has moved'),
  psi_by_chance: ratio.describe('What it is on average if nothing has moved, with samples of these sizes'),
  reference: sampleSize,
  current: sampleSize,
  bins: z.array(z.object({ bin: z.string(), reference: z.number(), current: z.number() })).describe('Shares'),
});

const drift = z
  .object({
    reference: z.object({ source: z.string(), count: z.int() }),
    current: z.object({ version: z.string(), domain: z.string().nullable(), count: z.int() }),
    inputs: z.record(z.string(), fieldDrift),
    outputs: z.record(z.string(), fieldDrift),
    unmatched: z.array(z.string()).describe('Fields that the reference does not have'),
  })
  .nullable()
  .describe('Null when the version has no distribution of its training data');

const version = z.string().nullable();

const performanceSchema = z.object({
  model: z.string(),
  since: z.string(),
  until: z.string(),
  versions: z.array(z.object({ version, ...score })),
  days: z.array(z.object({ day: z.string(), version, ...score })).describe('By day of UTC, the newest first'),
  drift,
  dropped: droppedSchema,
});

export interface PerformanceRouteOptions extends PerformanceDependencies {
  /** Milliseconds since 1970. @default Date.now */
  readonly wallClock?: () => number;
}

/** `GET /models/{name}/performance`. */
export function performanceRoute(app: FastifyInstance, options: PerformanceRouteOptions): void {
  const { predictions, wallClock = Date.now } = options;
  app.withTypeProvider<ZodTypeProvider>().get('/models/:name/performance', {
    config: { scope: 'admin' },
    schema: {
      tags: ['predictions'],
      summary: 'How good a model was, and how much its inputs and answers have changed',
      description: 'Scores are made of feedback. Distributions are compared by the population stability index.',
      params: z.object({ name: z.string() }),
      querystring: query,
      response: {
        200: performanceSchema.describe('Scores and distributions'),
        ...problemResponses(
          'VALIDATION_FAILED',
          'MODEL_NOT_FOUND',
          'VERSION_NOT_FOUND',
          'REFERENCE_NOT_FOUND',
          'STORAGE_UNAVAILABLE',
          'INTERNAL',
        ),
      },
    },
    handler: async ({ params: { name }, query: { version, since, until, reference, sample } }) => {
      const nowMs = wallClock();
      const window = { sinceMs: parseMoment(since, nowMs) ?? nowMs, untilMs: parseMoment(until, nowMs) ?? nowMs };
      const { versions, days, drift } = await performanceOf(
        { model: name, version, window, reference, sample },
        options,
      );
      return {
        model: name,
        since: new Date(window.sinceMs).toISOString(),
        until: new Date(window.untilMs).toISOString(),
        versions: [...versions],
        days: [...days],
        drift: drift ?? null,
        dropped: predictions.dropped,
      };
    },
  });
}
