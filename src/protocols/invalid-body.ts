import { AppError } from '../errors.ts';

/**
 * The error for a body that is JSON or CSV and says nothing that can be predicted.
 *
 * @param location of the member that is wrong. @default the body as a whole
 */
export function invalidBody(message: string, location: readonly string[] = ['body']): AppError {
  return new AppError('VALIDATION_FAILED', { message, faults: [{ location, type: 'invalid_value', message }] });
}
