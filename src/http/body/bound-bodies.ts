import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { AppError } from '../../errors.ts';
import type { BodyBudget, BodyLease } from '../../transport/body-budget.ts';

/** What takes less is not counted: connections are bounded, and it would cost every small request. */
const countedFromBytes = 16 * 1024;

declare module 'fastify' {
  interface FastifyInstance {
    /** How a body may be read; undefined where nothing is set. */
    readonly bodyLimits: BodyLimits;
  }
  interface FastifyRequest {
    /** Undefined for a small body. */
    bodyLease: BodyLease | undefined;
  }
}

export interface BodyLimits {
  /** Largest JSON that is no tensor, form, or text in JSON. */
  readonly jsonLimitBytes: number;
  /** How many times as large a body may become that is decompressed. */
  readonly compressionRatioLimit: number;
}

/** Counts the large bodies of all requests, and refuses those for which there is no room before they are read. */
export function boundBodies(
  app: FastifyInstance,
  { jsonLimitBytes, compressionRatioLimit }: BodyLimits,
  budget: BodyBudget,
): void {
  app.decorate('bodyLimits', { jsonLimitBytes, compressionRatioLimit });
  app.decorateRequest('bodyLease', undefined);
  app.addHook('onRequest', (request, reply, done) => {
    if (!mayBeLarge(request)) {
      done();
      return;
    }
    const lease = budget.lease();
    request.bodyLease = lease;
    reply.raw.once('close', () => lease.end());
    try {
      lease.take(declaredBytes(request));
      done();
    } catch (thrown) {
      done(thrown as AppError);
    }
  });
}

function mayBeLarge({ headers }: FastifyRequest): boolean {
  if (headers['transfer-encoding'] !== undefined || headers['content-encoding'] !== undefined) return true;
  return Number(headers['content-length'] ?? 0) >= countedFromBytes;
}

/** What is beyond the limit of the route is refused, and where there is no route nothing is read. */
function declaredBytes({ headers, routeOptions: { bodyLimit = 0 } }: FastifyRequest): number {
  const bytes = Number(headers['content-length'] ?? 0);
  return bytes <= bodyLimit ? bytes : 0;
}
