import { once } from 'node:events';
import { createServer } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { TcpProxy } from '../helpers/tcp-proxy.ts';
import { childrenOf } from './children.ts';
import { describe, problemsOf } from './outcome.ts';
import type { PostgresCluster } from './postgres-cluster.ts';
import { type Predictions, predict } from './predictors.ts';
import { Program } from './program.ts';
import { noSubmissions, smallOrder, submitTasks } from './submitters.ts';
import { allFinished, judgeWhenReady, whenTasksAreReady } from './verdict.ts';

export interface DatabaseGoneOptions {
  readonly modelsDir: string;
  readonly dataDir: string;
  /** Undefined: the embedded database. */
  readonly cluster: PostgresCluster | undefined;
  readonly goneForMs: number;
  readonly report: (line: string) => void;
}

const patienceMs = 300_000;

/** A way for the database to be gone, and to come back. */
interface Outage {
  readonly name: string;
  begin(): Promise<unknown>;
  end(): Promise<unknown>;
}

/**
 * Takes the database away while tasks are submitted, in every way there is, each for so long, and gives it back.
 *
 * @returns what should not have been
 */
export async function takeDatabaseAway(options: DatabaseGoneOptions): Promise<string[]> {
  const { cluster, goneForMs, report } = options;
  await using proxy = cluster && (await TcpProxy.start(new URL(cluster.url)));
  await using webhooks = await countWebhooks();
  const environment = {
    MODELS_DIR: options.modelsDir,
    DATA_DIR: options.dataDir,
    PREDICTIONS_MAX_PER_SECOND: '1000000',
    WEBHOOK_SECRET: 'chaos',
    WEBHOOK_ALLOW_PRIVATE: '1',
    ...(proxy !== undefined && { DATABASE_URL: proxy.url }),
  };
  const server = new Program('serve', environment);
  const workers = Array.from({ length: cluster === undefined ? 0 : 2 }, () => new Program('worker', environment));
  const outages = proxy === undefined ? embeddedOutages(server) : postgresOutages(proxy, cluster);
  const submissions = noSubmissions();
  const predictions: Predictions = { answered: 0, slowestMs: 0, failed: [] };
  const addressNow = () => server.address;
  const order = { ...smallOrder, path: `${smallOrder.path}?webhook=${encodeURIComponent(webhooks.url)}` };
  try {
    await Promise.all([server, ...workers].map((program) => program.start()));
    const stopPredicting = predict(server.address, predictions);
    await whenTasksAreReady(server.address);
    for (const outage of outages) {
      const stop = submitTasks(outage.name, { count: 4, addressNow, into: submissions, order, pauseMs: 250 });
      await delay(2000);
      await outage.begin();
      report(`${outage.name}, with ${submissions.accepted.size} tasks`);
      await delay(goneForMs);
      const acceptedBefore = submissions.accepted.size;
      await outage.end();
      const backMs = performance.now();
      while (submissions.accepted.size === acceptedBefore) await delay(20);
      report(`it is back: a task was taken after ${Math.round(performance.now() - backMs)} ms`);
      await delay(1000);
      await stop();
    }
    const isDone = await allFinished(addressNow, patienceMs);
    await stopPredicting();
    const verdict = await judgeWhenReady(server.address, submissions, new Map());
    const untold = await webhooks.untold([...submissions.accepted.values()], patienceMs);
    report(`webhooks: ${submissions.accepted.size - untold.length} of ${submissions.accepted.size} told`);
    const submissionBoundMs = cluster === undefined ? 40_000 : 15_000;
    const outcome = { verdict, isDone, submissions, predictions, submissionBoundMs };
    for (const line of [...(await describe(server.address, outcome)), ...server.complaintCounts]) report(line);
    return [...problemsOf(outcome), ...untold.map((id) => `nobody was told of ${id}`)];
  } finally {
    await Promise.all([server, ...workers].map((program) => program.kill()));
  }
}

function postgresOutages(proxy: TcpProxy, cluster: PostgresCluster | undefined): Outage[] {
  const back = () => proxy.become('working');
  return [
    { name: 'Postgres is stopped', begin: async () => cluster?.kill(), end: async () => cluster?.restart() },
    { name: 'the network refuses connections', begin: () => proxy.become('refusing'), end: back },
    { name: 'the network swallows everything', begin: () => proxy.become('silent'), end: back },
  ];
}

function embeddedOutages(server: Program): Outage[] {
  let stopped: number[] = [];
  const begin = async () => {
    stopped = await childrenOf(server.pid, '/embedded/child');
    for (const pid of stopped) process.kill(pid, 'SIGSTOP');
  };
  const end = async () => {
    // It may have been ended by its server.
    for (const pid of stopped) signal(pid, 'SIGCONT');
  };
  return [{ name: 'the process of the database stands still', begin, end }];
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch {
    // There is no such process any more.
  }
}

/** Listens for webhooks, and remembers whom they were about. */
async function countWebhooks() {
  const told = new Set<string>();
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const { data } = JSON.parse(Buffer.concat(chunks).toString()) as { data: { id: string } };
    told.add(data.id);
    response.end();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return {
    url: `http://127.0.0.1:${address.port}/`,
    /** Those that nobody was told of, after a while. */
    async untold(ids: readonly string[], patience: number): Promise<string[]> {
      const untilMs = performance.now() + patience;
      while (performance.now() < untilMs && ids.some((id) => !told.has(id))) await delay(200);
      return ids.filter((id) => !told.has(id));
    },
    async [Symbol.asyncDispose]() {
      server.close();
      server.closeAllConnections();
    },
  };
}
