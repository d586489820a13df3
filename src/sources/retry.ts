import { AppError } from '../errors.ts';
import { backOff } from '../timing/back-off.ts';
import type { Clock } from '../timing/clock.ts';
import type { Log } from '../timing/log.ts';
import { pause } from '../timing/pause.ts';
import { RefusedByServer, SourceChanged } from './remote-file.ts';

const delaysMs = { first: 500, longest: 30_000 };
/** Attempts without progress; with the delays between them about a minute and a half. */
const maxAttempts = 9;

export interface RetryDependencies {
  readonly clock: Clock;
  /** A number from 0 up to 1, as `Math.random` gives it: servers that start together must not ask again together. */
  readonly random: () => number;
  readonly signal: AbortSignal;
  readonly log: Pick<Log, 'warn'>;
}

/**
 * Tries again after a fault that passes, waiting twice as long each time. Progress, a number that grows as the task gets
 * on, starts the count anew.
 *
 * @throws AppError `MODELS_SOURCE_UNAVAILABLE` after the last attempt
 */
export async function retry<T>(
  what: string,
  task: () => Promise<T>,
  dependencies: RetryDependencies,
  progress: () => number = () => 0,
): Promise<T> {
  const { clock, random, signal, log } = dependencies;
  let failures = 0;
  let reached = progress();
  for (;;) {
    try {
      return await task();
    } catch (thrown) {
      signal.throwIfAborted();
      if (thrown instanceof AppError || thrown instanceof RefusedByServer || thrown instanceof SourceChanged) {
        throw thrown;
      }
      const now = progress();
      failures = now > reached ? 1 : failures + 1;
      reached = now;
      if (failures === maxAttempts) {
        throw new AppError('MODELS_SOURCE_UNAVAILABLE', {
          message: `${what} cannot be fetched: ${messageOf(thrown)}`,
          cause: thrown,
        });
      }
      const delayMs = backOff(delaysMs, failures) * (0.5 + random() / 2);
      log.warn({ err: thrown, attempt: failures, delay_ms: Math.round(delayMs) }, `${what}: trying again`);
      await pause(clock, delayMs, signal);
      signal.throwIfAborted();
    }
  }
}

/** `fetch` says no more than "fetch failed"; why it did is the cause. */
function messageOf(thrown: unknown): string {
  if (!(thrown instanceof Error)) return String(thrown);
  return thrown.cause instanceof Error ? `${thrown.message} (${thrown.cause.message})` : thrown.message;
}
