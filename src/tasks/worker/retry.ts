import { type AppError, type ErrorKind, toAppError } from '../../errors.ts';
import { backOff } from '../../timing/back-off.ts';
import type { TaskError } from '../task.ts';

const mayPass: ReadonlySet<ErrorKind> = new Set<ErrorKind>(['overloaded', 'upstream', 'timeout', 'rate_limited']);
const delaysSeconds = { first: 1, longest: 300 };

/** Whether the same task may succeed at another time; a wrong input stays wrong. */
export function isWorthRetrying({ kind }: AppError): boolean {
  return mayPass.has(kind);
}

/**
 * How long to wait before the next try, in seconds: a second, and twice as long after each failure, up to five minutes,
 * half of it by chance, so that what failed together does not come back together.
 *
 * @param failures how often the task has failed, from 1
 * @param random from 0 up to 1
 */
export function retryDelaySeconds(failures: number, random: number): number {
  return backOff(delaysSeconds, failures) * (0.5 + random / 2);
}

/** An error as a task shows it; faults of the server keep their details for the log. */
export function toTaskError(thrown: unknown): TaskError {
  const { code, kind, title, message, faults } = toAppError(thrown);
  return { code, message: kind === 'internal' ? title : message, ...(faults.length > 0 && { faults }) };
}
