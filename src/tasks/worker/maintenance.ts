import type { ThrottledErrorLog } from '../../storage/throttled-error-log.ts';
import type { Clock } from '../../timing/clock.ts';
import type { Log } from '../../timing/log.ts';
import { RepeatingJob } from '../../timing/repeating-job.ts';
import type { ReclaimedTasks } from '../repository/task-changes.ts';
import type { TaskRepository } from '../repository/task-repository.ts';

export interface MaintenanceDependencies {
  readonly leaseMs: number;
  readonly clock: Pick<Clock, 'setTimer'>;
  readonly log: Pick<Log, 'warn'>;
  readonly logError: ThrottledErrorLog;
  /** Called when tasks were reclaimed. */
  readonly onReclaimed: (tasks: ReclaimedTasks) => void;
}

/** Deleting is less urgent than reclaiming, and an idle database has to do little. */
const runsPerDeletion = 3;

/** Reclaims tasks whose lease has expired, and deletes what has been kept for long enough, again and again. */
export function startMaintenance(
  repository: Pick<TaskRepository, 'reclaim' | 'deleteExpired'>,
  { leaseMs, clock, log, logError, onReclaimed }: MaintenanceDependencies,
): RepeatingJob {
  let runs = 0;
  const work = async () => {
    const reclaimed = await repository.reclaim();
    const tasks = reclaimed.again.length + reclaimed.abandoned.size;
    if (tasks > 0) {
      log.warn({ tasks }, 'Reclaimed tasks whose lease expired');
      onReclaimed(reclaimed);
    }
    if (runs++ % runsPerDeletion === 0) await repository.deleteExpired();
  };
  const onError = (thrown: unknown) => logError(thrown, 'The maintenance of tasks failed');
  return new RepeatingJob(work, { intervalMs: leaseMs / 3, clock, onError });
}
