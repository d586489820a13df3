import type { RunRequest } from '../batcher/executor.ts';
import type { RunsRequests } from '../independence/trial-runner.ts';

/** More threads must make a run shorter by more than this share: they take cores from other work. */
const worthwhileShare = 0.15;
/** A run that is shorter is over before another thread has begun to work, in milliseconds. */
const tooShortMs = 0.2;
/** A run that is longer is worth every thread, and too long for a trial, in milliseconds. */
const tooLongMs = 20;
/** Runs that are timed for each number of threads; the shortest counts. */
const timedRuns = 4;
/** So many do for a run that is longer than that, in milliseconds: it varies less, and each makes the load longer. */
const timedLongRuns = 2;
const longRunMs = 1;

export interface ThreadTrial {
  readonly runner: RunsRequests;
  /** Makes a request of so many rows. */
  readonly request: (rows: number) => RunRequest;
  /** Most rows of a run that requests share. */
  readonly mostRows: number;
  readonly mostThreads: number;
  /** Makes the runner use so many threads. */
  readonly use: (threads: number) => Promise<void>;
}

/**
 * Finds how many threads a model should run with, and leaves the runner with them. The threads of a small model wait for
 * each other longer than they work: it is faster with one, which leaves the other cores to other work. The runner must
 * have one thread when the trial begins; the number is doubled as long as that pays.
 */
export async function chooseThreads(trial: ThreadTrial): Promise<number> {
  const { request, mostRows, mostThreads, use } = trial;
  const aloneMs = await shortestRunMs(trial, request(1));
  const shared = request(Math.max(1, Math.min(mostRows, Math.floor(tooLongMs / Math.max(aloneMs, tooShortMs)))));
  let threads = 1;
  let runMs = await shortestRunMs(trial, shared);
  while (threads < mostThreads && runMs >= tooShortMs) {
    const more = aloneMs > tooLongMs ? mostThreads : Math.min(2 * threads, mostThreads);
    await use(more);
    const withMoreMs = aloneMs > tooLongMs ? 0 : await shortestRunMs(trial, shared);
    if (withMoreMs > runMs * (1 - worthwhileShare)) {
      await use(threads);
      return threads;
    }
    threads = more;
    runMs = withMoreMs;
  }
  return threads;
}

/** 0 when the request could not be run. */
async function shortestRunMs({ runner }: ThreadTrial, request: RunRequest): Promise<number> {
  let shortestMs = Number.POSITIVE_INFINITY;
  for (let run = 0; run < timedRuns; run += 1) {
    const outcome = await runner.run(request);
    if (outcome.kind !== 'done') return 0;
    shortestMs = Math.min(shortestMs, outcome.runMs);
    if (shortestMs > tooLongMs || (shortestMs > longRunMs && run + 1 >= timedLongRuns)) break;
  }
  return shortestMs;
}
