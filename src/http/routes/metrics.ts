import type { FastifyInstance } from 'fastify';
import { acceptedFormat, expositionFormats } from '../../telemetry/metrics/exposition.ts';
import type { Metrics } from '../../telemetry/metrics.ts';

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
