import type { FastifyInstance, FastifyReply } from 'fastify';
import type { Metrics } from '../../telemetry/metrics.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** What a prediction took beside its inference; undefined for other requests. */
    codecTimes: { readonly parseMs: number; readonly decodeMs: number } | undefined;
  }
}

/** Counts every request to a route that is registered later. */
export function measureRequests(app: FastifyInstance, metrics: Metrics | undefined): void {
  app.decorateRequest('codecTimes', undefined);
  if (metrics === undefined) return;
  const { http, served } = metrics;

  const end = (reply: FastifyReply) => {
    const { method, routeOptions, servedModel, codecTimes } = reply.request;
    http.recordEnd({
      method,
      route: routeOptions.url,
      status: reply.raw.headersSent ? reply.raw.statusCode : undefined,
      durationMs: reply.elapsedTime,
    });
    if (servedModel !== undefined && codecTimes !== undefined) {
      served.recordCodec(servedModel.name, servedModel.version, codecTimes);
    }
  };
  const open = new OpenReplies(end);

  app.addHook('onRequest', (request, reply, done) => {
    http.recordStart(request.method);
    open.add(reply);
    done();
  });
  app.addHook('onResponse', (_request, reply, done) => {
    if (open.remove(reply)) end(reply);
    done();
  });
}

/**
 * The replies that are not finished, by connection. One that is broken off has no end but that of its connection; a
 * listener for each would cost more than all the counting.
 */
class OpenReplies {
  readonly #bySocket = new WeakMap<object, FastifyReply[]>();
  readonly #onBroken: (reply: FastifyReply) => void;

  constructor(onBroken: (reply: FastifyReply) => void) {
    this.#onBroken = onBroken;
  }

  add(reply: FastifyReply): void {
    const { socket } = reply.request.raw;
    const replies = this.#bySocket.get(socket);
    if (replies !== undefined) {
      replies.push(reply);
      return;
    }
    const first = [reply];
    this.#bySocket.set(socket, first);
    socket.once('close', () => first.splice(0).forEach(this.#onBroken));
  }

  /** Says whether the reply was open. */
  remove(reply: FastifyReply): boolean {
    const replies = this.#bySocket.get(reply.request.raw.socket);
    const index = replies?.indexOf(reply) ?? -1;
    if (index >= 0) replies?.splice(index, 1);
    return index >= 0;
  }
}
