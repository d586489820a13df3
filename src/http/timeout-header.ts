import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { malformedHeader } from './malformed-header.ts';
import { maxPriority, priorityHeader } from './priority-header.ts';

const header = 'x-request-timeout-ms';

/** Part of the time, and most of it in milliseconds, that is kept for the way of the answer back to the client. */
const wayBackShare = 0.02;
const longestWayBackMs = 10;

/** Documents the headers that every prediction takes. */
export const predictionHeaders = z.object({
  [header]: z.int().min(1).max(3_600_000).optional().describe("Deadline in milliseconds, capped by the model's own"),
  [priorityHeader]: z
    .int()
    .min(0)
    .max(maxPriority)
    .optional()
    .describe('1 is served first, larger numbers later; 0 stands for the level of most requests'),
  'x-request-id': z.string().max(128).optional().describe('Names the request in the reply and in the log'),
});

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
  const value = request.headers[header];
  if (value === undefined) return undefined;
  const timeoutMs = Number(value);
  if (Number.isInteger(timeoutMs) && timeoutMs >= 1 && timeoutMs <= 3_600_000) return timeoutMs;
  throw malformedHeader(header, value, 'a whole number from 1 to 3600000');
}
