import { setPriority } from 'node:os';
import type { SpawnRunner } from './spawn-runner.ts';

/**
 * Starts runners that other processes go before. It cannot be taken back without rights, so that such a runner has to
 * be replaced before it matters.
 *
 * @param nice as the system counts it: 19 waits longest
 */
export function niceRunner(spawn: SpawnRunner, nice: number): SpawnRunner {
  return (model, sharedFd) => {
    const runner = spawn(model, sharedFd);
    if (runner.pid !== undefined) setNice(runner.pid, nice);
    return runner;
  };
}

/** Threads of the runner inherit it, which has made none of its own yet. */
function setNice(pid: number, nice: number): void {
  try {
    setPriority(pid, nice);
  } catch {
    // It has ended already, which is seen elsewhere, or the system does not let it: then it is as any other.
  }
}
