import type { z } from 'zod';
import { type AppError, type ErrorCode, errorCodes } from '../errors.ts';
import { statusOfKind } from '../http/answer/error-status.ts';

/** What the status of an error follows from. */
export type StatusOf = (error: Pick<AppError, 'code' | 'kind'>) => number;

/** The status of an error in protocols that know no 422: an invalid argument is a 400. */
export function statusWithout422(kind: AppError['kind']): number {
  return kind === 'invalid' ? 400 : statusOfKind[kind];
}

/** Documents the errors that the routes of a protocol can answer, by status. */
export function errorResponsesOf(schema: z.ZodType, statusOf: StatusOf) {
  return (...codes: readonly ErrorCode[]): Record<number, object> => {
    const byStatus = Map.groupBy(codes, (code) => statusOf({ code, kind: errorCodes[code].kind }));
    const responses = [...byStatus].map(([status, ofStatus]) => [
      status,
      {
        description: ofStatus.map((code) => errorCodes[code].title).join('. '),
        content: { 'application/json': { schema } },
      },
    ]);
    return Object.fromEntries(responses);
  };
}
