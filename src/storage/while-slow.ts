import type { Clock } from '../timing/clock.ts';

/**
 * Waits for work, and calls back again and again while it takes longer than `everyMs`.
 *
 * @throws what the work throws
 */
export async function whileSlow<Result>(
  work: Promise<Result>,
  { everyMs, onSlow, clock }: SlowOptions,
): Promise<Result> {
  let cancel = () => {};
  const wait = () => {
    cancel = clock.setTimer(everyMs, () => {
      wait();
      onSlow();
    });
  };
  wait();
  try {
    return await work;
  } finally {
    cancel();
  }
}

export interface SlowOptions {
  readonly everyMs: number;
  readonly onSlow: () => void;
  readonly clock: Pick<Clock, 'setTimer'>;
}
