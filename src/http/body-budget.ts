import type { FastifyInstance, FastifyRequest } from 'fastify';
import { AppError } from '../errors.ts';

/** What takes less is not counted: connections are bounded, and it would cost every small request. */
const countedFromBytes = 16 * 1024;

/** Bytes of one body; what is taken is given back when its request has ended. */
export interface BodyLease {
  /**
   * Takes so many bytes more.
   *
   * @throws AppError `BODIES_TOO_LARGE`
   */
  take(bytes: number): void;
  /** Gives back what turned out not to be needed. */
  giveBack(bytes: number): void;
  /** Gives back everything; what is taken later is not counted. */
  end(): void;
}

/** How many bytes the bodies of all requests may have that are under way. */
export class BodyBudget {
  readonly limitBytes: number;
  #bytes = 0;

  constructor(limitBytes: number) {
    this.limitBytes = limitBytes;
  }

  /** Bytes that are taken. */
  get bytes(): number {
    return this.#bytes;
  }

  lease(): BodyLease {
    let own = 0;
    let ended = false;
    const giveBack = (bytes: number) => {
      own -= bytes;
      this.#bytes -= bytes;
    };
    return {
      take: (bytes) => {
        if (ended) return;
        // A body that is alone is bounded by itself.
        if (this.#bytes > own && this.#bytes + bytes > this.limitBytes) throw this.#refuse();
        own += bytes;
        this.#bytes += bytes;
      },
      giveBack: (bytes) => {
        if (!ended) giveBack(bytes);
      },
      end: () => {
        if (!ended) giveBack(own);
        ended = true;
      },
    };
  }

  #refuse(): AppError {
    return new AppError('BODIES_TOO_LARGE', {
      message: `The bodies of the requests under way have ${this.limitBytes} bytes together (BODIES_LIMIT_BYTES)`,
      expected: this.limitBytes,
      retryAfterSeconds: 1,
    });
  }
}

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
