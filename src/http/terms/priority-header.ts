import type { FastifyRequest } from 'fastify';
import { malformedHeader } from './malformed-header.ts';

export const priorityHeader = 'x-request-priority';

/** Largest number that the header may have: all beyond the lowest level are the lowest level. */
export const maxPriority = 2 ** 31 - 1;

/**
 * The priority that the client asks for: 1 is the highest, 0 that of most requests; undefined if it asks for none.
 *
 * @throws AppError `MALFORMED_HEADER` if it is not a whole number from 0 to {@link maxPriority}
 */
export function requestPriority(request: FastifyRequest): number | undefined {
  const value = request.headers[priorityHeader];
  if (value === undefined) return undefined;
  const priority = typeof value === 'string' && /^\d{1,10}$/.test(value) ? Number(value) : Number.NaN;
  if (priority <= maxPriority) return priority;
  throw malformedHeader(priorityHeader, value, `a whole number from 0 to ${maxPriority}`);
}
