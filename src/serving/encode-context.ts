import { AppError } from '../errors.ts';
import type { Clock } from '../timing/clock.ts';

/** Until when an encoder is to work, for those that take long. */
export interface EncodeContext {
  /** Aborted when no client waits for the answer any more; the same for all encoders of a request. */
  readonly signal: AbortSignal;
  /** Calls back at the deadline, until the returned function is called. */
  atDeadline(callback: () => void): () => void;
}

export function encodeContext(
  { signal, deadlineMs }: { readonly signal: AbortSignal; readonly deadlineMs: number },
  clock: Pick<Clock, 'now' | 'setTimer'>,
): EncodeContext {
  return { signal, atDeadline: (callback) => clock.setTimer(Math.max(0, deadlineMs - clock.now()), callback) };
}

/**
 * Works until the deadline, or until no client waits for the answer. What has begun then goes on unseen: work is to look at
 * the signal, whose reason is the error.
 *
 * @throws AppError `CLIENT_GONE`, `DEADLINE_EXCEEDED`, and what the work throws
 */
export async function whileWanted<Result>(
  { signal, atDeadline }: EncodeContext,
  work: (signal: AbortSignal) => Promise<Result>,
): Promise<Result> {
  const stopping = new AbortController();
  const stopped = Promise.withResolvers<never>();
  const stop = (error: AppError) => {
    stopping.abort(error);
    stopped.reject(error);
  };
  const onGone = () =>
    stop(new AppError('CLIENT_GONE', { message: 'The client closed the connection before the answer was there' }));
  const cancelTimer = atDeadline(() =>
    stop(new AppError('DEADLINE_EXCEEDED', { message: 'The deadline passed before the input was read' })),
  );
  signal.addEventListener('abort', onGone, { once: true });
  if (signal.aborted) onGone();
  try {
    return await Promise.race([stopped.promise, work(stopping.signal)]);
  } finally {
    cancelTimer();
    signal.removeEventListener('abort', onGone);
  }
}
