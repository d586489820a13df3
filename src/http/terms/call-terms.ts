import type { IncomingHttpHeaders } from 'node:http';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { RequestHeaders } from '../../inference/predictor.ts';
import type { Routing } from '../../models/traffic/choose-arm.ts';
import { type AskedTerms, type CallTerms, shorterMs } from '../../serving/call-terms.ts';
import { whenClientIsGone } from './client-signal.ts';
import { requestPriority } from './priority-header.ts';
import { requestTimeoutMs } from './timeout-header.ts';
import { traceContextOf } from './trace-context.ts';

/**
 * What an HTTP request asks besides its body, by its headers and its connection.
 *
 * @param asked what the body asks for
 * @throws AppError `MALFORMED_HEADER`
 */
export function readCallTerms(request: FastifyRequest, reply: FastifyReply, asked: AskedTerms): CallTerms {
  return {
    requestId: request.id,
    caller: request.caller,
    timeoutMs: shorterMs(requestTimeoutMs(request, reply), asked.timeoutMs),
    signal: whenClientIsGone(reply),
    priority: asked.priority ?? requestPriority(request),
    trace: traceContextOf(request),
    headers: new SentHeaders(request.headers),
  };
}

/** What the version is chosen by that answers a request, where it names none. */
export function routingOf({ id, caller, headers }: FastifyRequest): Routing {
  return { requestId: id, caller, headers: new SentHeaders(headers) };
}

class SentHeaders implements RequestHeaders {
  readonly #sent: IncomingHttpHeaders;

  constructor(sent: IncomingHttpHeaders) {
    this.#sent = sent;
  }

  get(name: string): string | undefined {
    const value = this.#sent[name];
    return Array.isArray(value) ? value.join(', ') : value;
  }
}
