import type { FastifyReply, FastifyRequest } from 'fastify';
import { malformedHeader } from './malformed-header.ts';

export const timeoutHeader = 'x-request-timeout-ms';

/** Part of the time, and most of it in milliseconds, that is kept for the way of the answer back to the client. */
const wayBackShare = 0.02;
const longestWayBackMs = 10;

/**
 * How long the client still waits, in milliseconds: what it asks for, less the time since the arrival of the request
 * and a little for the way back, so that an answer is there in time or not given. Undefined if it asks for nothing.
 *
 * @throws AppError `MALFORMED_HEADER` if it does not ask for a whole number from 1 to 3,600,000
 */
export function requestTimeoutMs(request: FastifyRequest, reply: FastifyReply): number | undefined {
  const timeoutMs = askedTimeoutMs(request);
  if (timeoutMs === undefined) return undefined;
  const wayBackMs = Math.min(longestWayBackMs, timeoutMs * wayBackShare);
  return Math.max(0, timeoutMs - wayBackMs - reply.elapsedTime);
}

function askedTimeoutMs(request: FastifyRequest): number | undefined {
  const value = request.headers[timeoutHeader];
  if (value === undefined) return undefined;
  const timeoutMs = Number(value);
  if (Number.isInteger(timeoutMs) && timeoutMs >= 1 && timeoutMs <= 3_600_000) return timeoutMs;
  throw malformedHeader(timeoutHeader, value, 'a whole number from 1 to 3600000');
}
