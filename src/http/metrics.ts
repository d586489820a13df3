import type { FastifyInstance } from 'fastify';
import { acceptedFormat, expositionFormats } from '../telemetry/metrics/exposition.ts';
import type { Metrics } from '../telemetry/metrics.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** What a prediction took beside its inference; undefined for other requests. */
    codecTimes: { readonly parseMs: number; readonly decodeMs: number } | undefined;
  }
}

/** Counts every request that is registered later. */
export function measureRequests(app: FastifyInstance, metrics: Metrics | undefined): void {
  app.decorateRequest('codecTimes', undefined);
  if (metrics === undefined) return;
  const { http, inference } = metrics;

  app.addHook('onRequest', (request, reply, done) => {
    const { method } = request;
    http.recordStart(method);
    // Comes exactly once, also when the client goes before its answer.
    reply.raw.on('close', () => {
      const { servedModel, codecTimes } = request;
      http.recordEnd({
        method,
        route: request.routeOptions.url,
        status: reply.raw.headersSent ? reply.raw.statusCode : undefined,
        durationMs: reply.elapsedTime,
      });
      if (servedModel !== undefined && codecTimes !== undefined) {
        inference.recordCodec(servedModel.name, servedModel.version, codecTimes);
      }
    });
    done();
  });
}

/** `GET /metrics`. */
export function metricsRoute(app: FastifyInstance, { metrics }: { metrics: Metrics }): void {
  app.get('/metrics', {
    config: { scope: 'metrics' },
    schema: {
      tags: ['health'],
      summary: 'Figures for Prometheus',
      description: 'In the text format of Prometheus, or in OpenMetrics when `Accept` asks for it.',
      produces: Object.values(expositionFormats),
    },
    handler: (request, reply) => {
      const format = acceptedFormat(request.headers.accept);
      reply.type(expositionFormats[format]);
      return metrics.write(format);
    },
  });
}
