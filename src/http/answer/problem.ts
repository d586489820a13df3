import { z } from 'zod';
import { type AppError, type ErrorCode, errorCodes } from '../../errors.ts';
import { statusOfKind } from './error-status.ts';

const faultSchema = z.object({
  location: z.array(z.union([z.string(), z.number()])).describe('Where, beginning with body, query, path or header'),
  type: z.string().describe('Kind of the fault, for programs'),
  message: z.string().describe('What is wrong, for people'),
});

/** The body of every error outside of the wire protocols: RFC 9457, with our own members. */
export const problemSchema = z
  .object({
    type: z.string().describe('Stable URI of this kind of problem'),
    title: z.string(),
    status: z.int().min(400).max(599),
    detail: z.string().optional().describe('What happened this time; absent for faults of the server'),
    instance: z.string().describe('Path of the request'),
    code: z.enum(Object.keys(errorCodes)).describe('The same as type, as a constant'),
    request_id: z.string().describe('Names the request in the log'),
    errors: z.array(faultSchema).optional().describe('The faults of the input, the first 100 at most'),
    step: z.string().optional().describe('The step of a graph that failed, as outer.inner in a graph of graphs'),
    error_count: z.int().optional().describe('How many faults the input has, where not all of them are told'),
  })
  .describe('A problem as in RFC 9457');

export type Problem = z.output<typeof problemSchema>;

export const problemMediaType = 'application/problem+json';

/** Stable URI of a kind of problem. */
export function problemType(code: ErrorCode): string {
  return `/errors/${code.toLowerCase().replaceAll('_', '-')}`;
}

/** The body for an error. Faults of the server keep their details for the log. */
export function problemBody(error: AppError, request: { id: string; path: string }): Problem {
  return {
    type: problemType(error.code),
    title: error.title,
    status: statusOfKind[error.kind],
    ...(error.kind !== 'internal' && { detail: error.message }),
    instance: request.path,
    code: error.code,
    request_id: request.id,
    ...(error.step !== undefined && { step: error.step }),
    ...(error.faults.length > 0 && {
      errors: error.faults.map((fault) => ({ ...fault, location: [...fault.location] })),
    }),
    ...(error.faultCount > error.faults.length && { error_count: error.faultCount }),
  };
}

/** What every prediction can fail with, whatever the route makes its tensors of. */
export const predictionErrorCodes = [
  'MALFORMED_HEADER',
  'MODEL_NOT_FOUND',
  'BODY_TOO_LARGE',
  'UNSUPPORTED_MEDIA_TYPE',
  'VALIDATION_FAILED',
  'MODEL_REFUSED_INPUT',
  'OUTPUTS_TOO_LARGE',
  'INPUT_KILLED_RUNNER',
  'ANSWER_TOO_LARGE',
  'INTERNAL',
  'MODEL_NOT_READY',
  'QUEUE_FULL',
  'DEADLINE_UNREACHABLE',
  'RUNNER_DIED',
  'DEADLINE_EXCEEDED',
] as const satisfies readonly ErrorCode[];

/** Documents the errors that a route can answer, by status. */
export function problemResponses(...codes: readonly ErrorCode[]): Record<number, object> {
  const codesByStatus = Map.groupBy(codes, (code) => statusOfKind[errorCodes[code].kind]);
  const responses = [...codesByStatus].map(([status, ofStatus]) => [
    status,
    {
      description: ofStatus.map((code) => `${errorCodes[code].title} (\`${code}\`)`).join('. '),
      content: { [problemMediaType]: { schema: problemSchema } },
    },
  ]);
  return Object.fromEntries(responses);
}
