import { setTimeout as delay } from 'node:timers/promises';
import { childrenOf } from './children.ts';
import type { PostgresCluster } from './postgres-cluster.ts';
import { Program } from './program.ts';
import { noSubmissions, submitTasks } from './submitters.ts';
import { allFinished, judgeWhenReady, type Verdict } from './verdict.ts';

/** What a round kills. */
export type Victim = 'server' | 'runner' | 'worker' | 'database';

export interface ChaosOptions {
  readonly rounds: number;
  readonly modelsDir: string;
  readonly dataDir: string;
  /** Undefined: the embedded database. */
  readonly databaseUrl: string | undefined;
  /** Undefined where the Postgres is not to be killed. */
  readonly cluster: PostgresCluster | undefined;
  /** Worker processes beside the server. */
  readonly workers: number;
  /** From 0 up to 1. */
  readonly random: () => number;
  /** Who is next. @default one by chance */
  readonly victim?: () => Victim;
  readonly report: (line: string) => void;
}

const submitters = 16;
/** Longer than a model is given up after its runners were killed too often. */
const patienceMs = 180_000;

/** Kills something in each round while tasks are submitted, and looks what has become of them. */
export async function runRounds(options: ChaosOptions): Promise<Verdict> {
  const { rounds, databaseUrl, random, report } = options;
  const environment = {
    MODELS_DIR: options.modelsDir,
    DATA_DIR: options.dataDir,
    TASK_LEASE_MS: '2000',
    ...(databaseUrl !== undefined && { DATABASE_URL: databaseUrl }),
  };
  const server = new Program('serve', environment);
  const workers = Array.from({ length: options.workers }, () => new Program('worker', environment));
  const submissions = noSubmissions();
  const ends = new Map<string, string>();
  const addressNow = () => server.address;
  try {
    await Promise.all([server, ...workers].map((program) => program.start()));
    let verdict = await judgeWhenReady(server.address, submissions, ends);
    for (let round = 1; round <= rounds; round++) {
      const victim = options.victim?.() ?? chooseVictim(options, random());
      const stopSubmitting = submitTasks(`round-${round}`, { count: submitters, addressNow, into: submissions });
      await delay(200 + random() * 1000);
      await killAndRestart(victim, { server, workers, cluster: options.cluster, random });
      await delay(random() * 300);
      await stopSubmitting();
      const isDone = await allFinished(addressNow, patienceMs);
      verdict = await judgeWhenReady(server.address, submissions, ends);
      const { accepted, finished, failed, lost, doubled, takenOver } = verdict;
      report(
        `round ${round}: killed the ${victim}; so far ${accepted} accepted, ${finished} finished (${failed.length} failed), ${lost.length} lost, ` +
          `${doubled.length} doubled, ${takenOver} taken over${isDone ? '' : '; NOT DONE'}`,
      );
    }
    if (submissions.strange.length > 0) report(`strange answers: ${submissions.strange.slice(0, 5).join('; ')}`);
    return verdict;
  } finally {
    await Promise.all([server, ...workers].map((program) => program.kill()));
  }
}

function chooseVictim({ workers, databaseUrl, cluster }: ChaosOptions, random: number): Victim {
  const victims: Victim[] = ['server', 'runner'];
  if (workers > 0) victims.push('worker');
  if (databaseUrl === undefined || cluster !== undefined) victims.push('database');
  return victims[Math.floor(random * victims.length)] ?? 'server';
}

interface Scene {
  readonly server: Program;
  readonly workers: readonly Program[];
  readonly cluster: PostgresCluster | undefined;
  readonly random: () => number;
}

async function killAndRestart(victim: Victim, { server, workers, cluster, random }: Scene): Promise<void> {
  if (victim === 'server') {
    await server.kill();
    await server.start();
  } else if (victim === 'worker') {
    const worker = workers[Math.floor(random() * workers.length)];
    await worker?.kill();
    await worker?.start();
  } else if (victim === 'runner') {
    for (const pid of await childrenOf(server.pid, '/runner/child')) process.kill(pid, 'SIGKILL');
  } else if (cluster === undefined) {
    for (const pid of await childrenOf(server.pid, '/embedded/child')) process.kill(pid, 'SIGKILL');
  } else {
    await cluster.kill();
    await delay(random() * 1000);
    await cluster.restart();
  }
}
