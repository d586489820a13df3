import { statfs, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { describe, problemsOf } from './outcome.ts';
import type { PostgresCluster } from './postgres-cluster.ts';
import { type Predictions, predict } from './predictors.ts';
import { Program } from './program.ts';
import type { SmallDisk } from './small-disk.ts';
import { noSubmissions, type Order, submitTasks } from './submitters.ts';
import { allFinished, judgeWhenReady, whenTasksAreReady } from './verdict.ts';

export interface DiskFullOptions {
  readonly disk: SmallDisk;
  readonly modelsDir: string;
  readonly dataDir: string;
  /** Undefined: the embedded database. */
  readonly cluster: PostgresCluster | undefined;
  readonly fullForMs: number;
  readonly report: (line: string) => void;
}

const roomyMegabytes = 2048;
const patienceMs = 300_000;
const undisturbedMs = 5000;
const submissionBoundMs = 40_000;
/** Large enough for a file, as are its results. */
const largeOrder: Order = {
  path: '/models/iris/tasks',
  body: JSON.stringify({ features: Array.from({ length: 20_000 }, () => [5.1, 3.5, 1.4, 0.2]) }),
};

/**
 * Submits tasks, takes what is left of the disk, goes on for a while, and makes room again.
 *
 * @returns what should not have been
 */
export async function fillDisk(options: DiskFullOptions): Promise<string[]> {
  const { disk, cluster, fullForMs, report } = options;
  const server = new Program('serve', {
    MODELS_DIR: options.modelsDir,
    DATA_DIR: options.dataDir,
    PREDICTIONS_MAX_PER_SECOND: '1000000',
    ...(cluster !== undefined && { DATABASE_URL: cluster.url }),
  });
  const submissions = noSubmissions();
  const predictions: Predictions = { answered: 0, slowestMs: 0, failed: [] };
  const addressNow = () => server.address;
  try {
    await server.start();
    const stopPredicting = predict(server.address, predictions);
    await whenTasksAreReady(server.address);
    const submit = { addressNow, into: submissions, pauseMs: 100 };
    const stopSmall = submitTasks('small', { ...submit, count: 4 });
    const stopLarge = submitTasks('large', { ...submit, count: 2, order: largeOrder });
    await delay(undisturbedMs);
    const filling = keepFull(disk, fullForMs);
    await untilFull(submissions.refused);
    report(`full with ${submissions.accepted.size} tasks: ${await roomOf(disk)} left`);
    const supervising = cluster?.supervise();
    await filling;
    report(`still full with ${submissions.accepted.size} tasks: ${await roomOf(disk)} left; room is made`);
    const roomMs = performance.now();
    await disk.resize(roomyMegabytes);
    const acceptedBefore = submissions.accepted.size;
    while (submissions.accepted.size === acceptedBefore) await delay(20);
    report(`tasks are taken again after ${Math.round(performance.now() - roomMs)} ms`);
    await Promise.all([stopSmall(), stopLarge()]);
    const isDone = await allFinished(addressNow, patienceMs);
    await stopPredicting();
    supervising?.();
    const verdict = await judgeWhenReady(server.address, submissions, new Map());
    const outcome = { verdict, isDone, submissions, predictions, submissionBoundMs };
    for (const line of [...(await describe(server.address, outcome)), ...server.complaintCounts]) report(line);
    return problemsOf(outcome);
  } finally {
    await server.kill();
  }
}

async function untilFull(refused: ReadonlyMap<string, number>): Promise<void> {
  while (![...refused.keys()].some((answer) => answer.includes('STORAGE_FULL'))) await delay(20);
}

/** Takes every byte that becomes free. */
async function keepFull(disk: SmallDisk, forMs: number): Promise<void> {
  const untilMs = performance.now() + forMs;
  const ballast = join(disk.path, 'ballast');
  for (let number = 0; performance.now() < untilMs; number += 1) {
    await writeFile(`${ballast}-${number % 100}`, Buffer.alloc(1024 * 1024), { flag: 'a' }).catch(() => {});
    await delay(20);
  }
}

async function roomOf({ path }: SmallDisk): Promise<string> {
  const { bavail, bsize } = await statfs(path);
  return `${Math.round((bavail * bsize) / 1024)} KiB`;
}
