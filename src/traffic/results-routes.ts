import type { ZodTypeProvider } from '@fastify/type-provider-zod';
import type { FastifyInstance, FastifyReply } from 'fastify';
import { z } from 'zod';
import { problemResponses } from '../http/answer/problem.ts';
import type { Registry } from '../models/registry/registry.ts';
import type { PredictionService } from '../predictions/service.ts';
import { parseMoment } from '../predictions/time-window.ts';
import { exactJsonText } from '../tensor/json/exact-json-text.ts';
import { comparisonRules, type Targets } from './comparison-rules.ts';
import { resultsSchema } from './results-schema.ts';
import { type ShadowPair, shadowPairs } from './results-store.ts';
import { type ComparisonRules, ShadowTally } from './shadow-results.ts';

export interface TrafficResultsOptions {
  readonly predictions: PredictionService;
  readonly registry: Registry;
  readonly targets: Targets;
  /** Milliseconds since 1970. @default Date.now */
  readonly wallClock?: () => number;
}

/** Most pairs that a report is made of, the newest. */
const maxPairs = 100_000;

const query = z.strictObject({
  since: z
    .string()
    .max(40)
    .refine((text) => parseMoment(text, 0) !== undefined, 'Expected a time such as 2026-11-21T08:00:00Z, or 24h')
    .default('7d')
    .describe('From then on: a time of ISO 8601, or how long ago, such as `24h`'),
});

/** `GET /models/{name}/traffic/results`. */
export function trafficResultsRoute(app: FastifyInstance, options: TrafficResultsOptions): void {
  const { predictions, registry, targets, wallClock = Date.now } = options;
  app.withTypeProvider<ZodTypeProvider>().get('/models/:name/traffic/results', {
    config: { scope: 'admin' },
    schema: {
      tags: ['models'],
      summary: 'How a shadow compares with what answers',
      description:
        'Made of the prediction log: of predictions that were kept with what the shadow has made of their inputs.',
      params: z.object({ name: z.string() }),
      querystring: query,
      response: {
        200: resultsSchema.describe('The comparison'),
        ...problemResponses('VALIDATION_FAILED', 'MODEL_NOT_FOUND', 'STORAGE_UNAVAILABLE', 'INTERNAL'),
      },
    },
    handler: async ({ params: { name }, query: { since } }, reply) => {
      const model = registry.get(name);
      const sinceMs = parseMoment(since, wallClock()) ?? wallClock();
      const settings = model.traffic?.shadow;
      const answering = model.served ?? model.versions[0];
      const shadow =
        settings === undefined || answering === undefined
          ? null
          : {
              version: settings.version,
              ...(await shadowReport(
                shadowPairs(predictions, { model: name, version: settings.version, sinceMs }, maxPairs),
                comparisonRules(answering, settings, targets),
              )),
            };
      const results = { model: name, since: new Date(sinceMs).toISOString(), shadow };
      // Answers have every digit of the model's.
      return sendJson(reply, exactJsonText(results));
    },
  });
}

async function shadowReport(pages: AsyncIterable<readonly ShadowPair[]>, rules: ComparisonRules) {
  const tally = new ShadowTally(rules);
  for await (const page of pages) for (const pair of page) tally.add(pair);
  return tally.report();
}

/** A text is sent as it is. */
function sendJson(reply: FastifyReply, text: string): FastifyReply {
  return reply.type('application/json; charset=utf-8').send(text);
}
