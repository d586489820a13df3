import { AppError } from '../errors.ts';

/** The error for a face that cannot be made, with everything that is at fault with it. */
export function invalidFace(faults: readonly string[], cause?: unknown): AppError {
  return new AppError('FACE_INVALID', { message: faults.join('; '), received: faults, cause });
}

/** @throws AppError `FACE_INVALID` when there is a fault */
export function refuseFaults(faults: readonly string[]): void {
  if (faults.length > 0) throw invalidFace(faults);
}
