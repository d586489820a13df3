import { AppError, type ErrorCode, relocateFaults } from '../errors.ts';

/** Errors of other kinds that are about what an instance holds. */
const ofContent: ReadonlySet<ErrorCode> = new Set(['PICTURE_TOO_LARGE', 'UNSUPPORTED_MEDIA_TYPE']);

/** Whether what is the matter with one instance says nothing of the others; all else would happen to them too. */
export function isOfInstance({ code, kind }: AppError): boolean {
  return kind === 'invalid' || kind === 'malformed' || ofContent.has(code);
}

/**
 * One error of those of instances that ran apart, with the faults of all; undefined where there is none.
 *
 * @param errors that of each instance by its index, with faults whose locations begin with 0, for the one instance
 * @returns the first that is not about an instance, if there is one
 */
export function combineErrors(errors: readonly (AppError | undefined)[]): AppError | undefined {
  const other = errors.find((error) => error !== undefined && !isOfInstance(error));
  if (other !== undefined) return other;
  const located = errors.flatMap((error, index) =>
    error === undefined ? [] : [atInstance(error, index, errors.length > 1)],
  );
  const [first] = located;
  if (first === undefined) return undefined;
  const { code, message, received, expected, cause } = first;
  const faults = located.flatMap((error) => error.faults);
  const faultCount = located.reduce((sum, error) => sum + error.faultCount, 0);
  return new AppError(code, { message, received, expected, faults, faultCount, cause });
}

function atInstance(error: AppError, index: number, isOneOfMany: boolean): AppError {
  const { code, received, expected } = error;
  const message = isOneOfMany ? `instance ${index}: ${error.message}` : error.message;
  const faults =
    error.faults.length > 0
      ? relocateFaults(error, ([first, ...within]) => (first === 0 ? [index, ...within] : [index])).faults
      : [{ location: [index], type: code.toLowerCase(), message: error.message }];
  const faultCount = Math.max(error.faultCount, faults.length);
  return new AppError(code, { message, received, expected, faults, faultCount, cause: error });
}
