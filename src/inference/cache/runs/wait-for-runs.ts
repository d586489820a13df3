import type { AppError } from '../../../errors.ts';
import type { Clock } from '../../../timing/clock.ts';
import { clientGone, deadlineExceeded } from '../../batcher/refusals.ts';
import type { PredictContext } from '../../predictor.ts';
import type { RunEnd, UnitRun } from './unit-run.ts';

/** Somebody's part in the runs that it waits for. */
export interface Waiting {
  readonly runs: readonly UnitRun[];
  /** The one of them that it has begun, which reads its memory. */
  readonly led: UnitRun | undefined;
  readonly context: Pick<PredictContext, 'signal' | 'deadlineMs'>;
  readonly clock: Clock;
}

/**
 * Waits for the ends of all runs, no longer than who asks does, and leaves them then. Who has begun a run waits for its end
 * in any case, since it reads the memory of the request.
 *
 * @throws AppError `CLIENT_GONE`, `DEADLINE_EXCEEDED`
 */
export function waitForRuns({ runs, led, context, clock }: Waiting): Promise<readonly RunEnd[]> {
  const { signal, deadlineMs } = context;
  const { promise, resolve, reject } = Promise.withResolvers<readonly RunEnd[]>();
  const leaves = runs.map((run) => run.join());
  const giveUp = (error: AppError) => {
    end();
    if (led === undefined) return reject(error);
    led.isOrphan = true;
    void led.end.then(() => reject(error));
  };
  const onAbort = () => giveUp(clientGone());
  // A run has the deadline of who has begun it.
  const cancel = runs.some((run) => run !== led)
    ? clock.setTimer(Math.max(0, deadlineMs - clock.now()), () => giveUp(deadlineExceeded()))
    : undefined;
  const end = () => {
    cancel?.();
    signal.removeEventListener('abort', onAbort);
    for (const leave of leaves) leave();
  };
  signal.addEventListener('abort', onAbort);
  const [first] = runs;
  const ends =
    runs.length === 1 && first !== undefined
      ? first.end.then((only) => [only])
      : Promise.all(runs.map((run) => run.end));
  void ends.then((all) => {
    end();
    resolve(all);
  });
  return promise;
}

/** Whether an error says something of who began the run, and nothing of those who wait for it too. */
export function isOfLeader({ code }: AppError): boolean {
  return code === 'CLIENT_GONE' || code === 'DEADLINE_EXCEEDED' || code === 'DEADLINE_UNREACHABLE';
}
