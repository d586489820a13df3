import type { FastifyReply, FastifyRequest } from 'fastify';
import { cacheStatus, cacheStatusHeader } from '../../inference/cache/cache-status.ts';
import type { StepReport } from '../../inference/predictor.ts';
import type { InferResult } from '../../serving/infer.ts';

/** Says which model answered, by which id the prediction log has it, and where the time went, as `server-timing` in milliseconds. */
export function setPredictionHeaders(
  request: FastifyRequest,
  reply: FastifyReply,
  { model, timings, steps, cache, encodeMs, totalMs, decodeMs, predictionId }: InferResult<unknown>,
): void {
  request.servedModel = model;
  request.codecTimes = { parseMs: Math.max(0, reply.elapsedTime - totalMs - decodeMs), decodeMs };
  reply.header('x-model-name', model.name);
  reply.header('x-model-version', model.version);
  if (predictionId !== undefined) reply.header('x-prediction-id', predictionId);
  if (cache !== undefined) reply.header(cacheStatusHeader, cacheStatus(cache));
  reply.header(
    'server-timing',
    `queue;dur=${ms(timings.queueMs)}, batch;dur=${ms(timings.batchMs)}, infer;dur=${ms(timings.inferMs)}, ` +
      `encode;dur=${ms(encodeMs)}, decode;dur=${ms(decodeMs)}${steps === undefined ? '' : stepMetrics(steps)}`,
  );
}

/** Names of steps, models and versions have no character that a header would have to quote. */
function stepMetrics(steps: readonly StepReport[]): string {
  return steps
    .filter(({ outcome }) => outcome !== 'skipped')
    .map(({ name, model, version, ms: took }) => {
      const description = model === undefined ? '' : `;desc="${model} ${version}"`;
      return `, step-${name};dur=${ms(took)}${description}`;
    })
    .join('');
}

function ms(duration: number): number {
  return Math.round(duration * 1000) / 1000;
}
