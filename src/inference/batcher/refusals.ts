import { AppError } from '../../errors.ts';
import { refusedForMs } from '../deadly-inputs.ts';

/** The errors of the engine that more than one place gives. */

export function deadlineExceeded(): AppError {
  return new AppError('DEADLINE_EXCEEDED', { message: 'The deadline passed before the answer was there' });
}

export function clientGone(): AppError {
  return new AppError('CLIENT_GONE', { message: 'The client closed the connection before the answer was there' });
}

export function shuttingDown(): AppError {
  return new AppError('SHUTTING_DOWN', { message: 'The model takes no more requests', retryAfterSeconds: 1 });
}

export function runnerDied(reason: string): AppError {
  return new AppError('RUNNER_DIED', {
    message: 'The runner of the model ended during the run',
    retryAfterSeconds: 1,
    cause: new Error(reason),
  });
}

/** The error for an input that the model, or the bound of its outputs, refuses. */
export function modelRefused({ message, tooLarge }: { readonly message: string; readonly tooLarge?: true }): AppError {
  if (tooLarge === true) return new AppError('OUTPUTS_TOO_LARGE', { message });
  return new AppError('MODEL_REFUSED_INPUT', { message: `The model refused the input: ${message}` });
}

/** No `retryAfterSeconds`: the same input would end the next runner too. */
export function killedRunner(reason: string): AppError {
  return new AppError('INPUT_KILLED_RUNNER', {
    message: `The runner of the model crashed on this input: ${reason}. The input is refused for ${refusedForMs / 60_000} minutes`,
    cause: new Error(reason),
  });
}

/** Whole seconds from now until then, at least one: what `Retry-After` can say. */
export function secondsUntil(nowMs: number, thenMs: number): number {
  return Math.max(1, Math.ceil((thenMs - nowMs) / 1000));
}
