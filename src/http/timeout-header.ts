import type { FastifyRequest } from 'fastify';
import { z } from 'zod';
import { AppError } from '../errors.ts';

const header = 'x-request-timeout-ms';

/** Documents the headers that every prediction takes. */
export const predictionHeaders = z.object({
  [header]: z.int().min(1).max(3_600_000).optional().describe("Deadline in milliseconds, capped by the model's own"),
  'x-request-id': z.string().max(128).optional().describe('Names the request in the reply and in the log'),
});

/**
 * The deadline that the client asks for, in milliseconds from the arrival of the request; undefined if it asks for none.
 *
 * @throws AppError `MALFORMED_HEADER` if it is not a whole number from 1 to 3,600,000
 */
export function requestTimeoutMs(request: FastifyRequest): number | undefined {
  const value = request.headers[header];
  if (value === undefined) return undefined;
  const timeoutMs = Number(value);
  if (Number.isInteger(timeoutMs) && timeoutMs >= 1 && timeoutMs <= 3_600_000) return timeoutMs;
  const message = `${header}: expected a whole number from 1 to 3600000, received ${JSON.stringify(value)}`;
  throw new AppError('MALFORMED_HEADER', {
    message,
    received: value,
    faults: [{ location: ['header', header], type: 'invalid_value', message }],
  });
}
