import { AppError, toAppError } from '../../errors.ts';

/** Why a member cannot answer: a client that asks for one model must not be told that there is no other. */
export function memberError(name: string, thrown: unknown): AppError {
  const cause = toAppError(thrown);
  if (cause.kind !== 'not_found') return cause;
  return new AppError('MODEL_NOT_READY', {
    message: `The model ${name} is not ready: ${cause.message}`,
    retryAfterSeconds: 1,
    cause,
  });
}
