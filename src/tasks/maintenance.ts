import { RepeatingJob } from '../timing/repeating-job.ts';
import type { Ledger } from './ledger.ts';
import type { TroubleLog } from './trouble-log.ts';

export interface MaintenanceDependencies {
  readonly leaseMs: number;
  readonly clock: { setTimer(delayMs: number, callback: () => void): () => void };
  readonly log: { warn(details: object, message: string): void };
  readonly logTrouble: TroubleLog;
  /** Told when tasks were put back into the queue. */
  readonly onTakeover: () => void;
}

/** Takes tasks from dead workers, and deletes what has been kept for long enough, again and again. */
export function startMaintenance(ledger: Ledger, dependencies: MaintenanceDependencies): RepeatingJob {
  const { leaseMs, clock, log, logTrouble, onTakeover } = dependencies;
  const work = async () => {
    const taken = await ledger.takeFromDeadWorkers();
    if (taken > 0) {
      log.warn({ tasks: taken }, 'Took tasks from workers that were not heard of any more');
      onTakeover();
    }
    await ledger.deleteExpired();
  };
  const onError = (thrown: unknown) => logTrouble(thrown, 'The tasks cannot be looked after');
  return new RepeatingJob(work, { intervalMs: leaseMs / 3, clock, onError });
}
