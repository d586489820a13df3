import type { FastifySchemaCompiler, FastifySerializerCompiler } from 'fastify';
import type { z } from 'zod';
import { AppError, type Fault, mostFaults } from '../../errors.ts';
import { shorten } from '../../tensor/malformed-tensor.ts';

const locationOfPart: Readonly<Record<string, string>> = {
  body: 'body',
  params: 'path',
  querystring: 'query',
};

/** Validates a part of a request by its zod schema and reports every fault at once. */
export const zodValidatorCompiler: FastifySchemaCompiler<z.ZodType> = ({ schema, httpPart }) => {
  // Headers are documented by a schema, and checked by the function that reads them.
  if (httpPart === 'headers') return () => true;
  const part = locationOfPart[httpPart ?? 'body'] ?? 'body';
  return (data: unknown) => {
    const result = schema.safeParse(data, { reportInput: true });
    return result.success ? { value: result.data } : { error: validationError(result.error, [part]) };
  };
};

/**
 * Writes a reply as JSON. The compiler has checked its type already; to check it again while serving would cost
 * more than the rest of the reply.
 */
export const zodSerializerCompiler: FastifySerializerCompiler<unknown> = () => JSON.stringify;

/** The error that names the first issues of a failed parse, at locations that begin with `prefix`, and says how many there are. */
export function validationError(error: z.ZodError, prefix: readonly (string | number)[]): AppError {
  const faults: Fault[] = [];
  let faultCount = 0;
  for (const issue of error.issues) {
    faultCount += issue.code === 'unrecognized_keys' ? issue.keys.length : 1;
    if (faults.length < mostFaults) faults.push(...faultsOf(issue, prefix));
  }
  const [first] = faults;
  const more = faultCount > 1 ? ` (and ${faultCount - 1} more)` : '';
  const message = first === undefined ? 'The request is invalid' : `${nameOf(first)}: ${first.message}`;
  return new AppError('VALIDATION_FAILED', { message: message + more, faults, faultCount });
}

function nameOf({ location }: Fault): string {
  return location.map((step) => (typeof step === 'string' ? shorten(step) : step)).join('.');
}

function faultsOf(issue: z.core.$ZodIssue, prefix: readonly (string | number)[]): Fault[] {
  const location = [...prefix, ...issue.path.map((key) => (typeof key === 'symbol' ? String(key) : key))];
  if (issue.code === 'unrecognized_keys') {
    const told = issue.keys.slice(0, mostFaults);
    return told.map((key) => ({ location: [...location, key], type: issue.code, message: 'Unknown field' }));
  }
  const isMissing = issue.input === undefined && (issue.code === 'invalid_type' || issue.code === 'invalid_value');
  return [
    isMissing
      ? { location, type: 'missing', message: 'Required' }
      : { location, type: issue.code, message: issue.message },
  ];
}
