import { AppError } from '../../errors.ts';

/** The fault of a header that has another value than `expected` says, in words. */
export function malformedHeader(header: string, received: unknown, expected: string): AppError {
  const message = `${header}: expected ${expected}, received ${JSON.stringify(received)}`;
  const fault = { location: ['header', header], type: 'invalid_value', message };
  return new AppError('MALFORMED_HEADER', { message, received, expected, faults: [fault] });
}
