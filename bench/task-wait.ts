/**
 * Measures how long a task waits for a worker of another process: from the 202 of a server that does none itself until the
 * task began, until it was finished, and until a client that follows its events heard of that.
 * `node bench/task-wait.ts --database postgres://… [--tasks 200]`
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { Program } from '../test/chaos/program.ts';

const { values } = parseArgs({
  options: { database: { type: 'string', default: '' }, tasks: { type: 'string', default: '200' } },
});
const flower = { sepal_length: 5.1, sepal_width: 3.5, petal_length: 1.4, petal_width: 0.2 };
const init = { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(flower) };
const longestPauseMs = 200;

/** Milliseconds since 1970, with their fractions. */
const now = () => performance.timeOrigin + performance.now();

interface TaskTimes {
  readonly begunMs: number;
  readonly finishedMs: number;
  readonly toldMs: number;
}

async function runTask(address: string): Promise<TaskTimes> {
  const { url } = (await (await fetch(new URL('/iris/tasks', address), init)).json()) as { url: string };
  const acceptedMs = now();
  const events = await (await fetch(new URL(`${url}/events`, address))).text();
  const toldMs = now() - acceptedMs;
  const last = [...events.matchAll(/^data: (.*)$/gm)].at(-1)?.[1] ?? '{}';
  const task = JSON.parse(last) as { started_at: string; finished_at: string };
  // The database has cut the fractions off: half a millisecond on average.
  const since = (time: string) => Date.parse(time) + 0.5 - acceptedMs;
  return { begunMs: since(task.started_at), finishedMs: since(task.finished_at), toldMs };
}

function report(name: string, times: readonly number[]): void {
  const sorted = times.toSorted((a, b) => a - b);
  const [p50, p99] = [0.5, 0.99].map((part) => (sorted[Math.floor(sorted.length * part)] ?? Number.NaN).toFixed(1));
  process.stdout.write(`${name}: p50 ${p50} ms, p99 ${p99} ms\n`);
}

const folder = await mkdtemp(join(tmpdir(), 'inferd-bench-task-wait-'));
const environment = { DATA_DIR: folder, LOG_LEVEL: 'info', DATABASE_URL: values.database };
const server = new Program('serve', { ...environment, TASK_CONCURRENCY: '0' });
const worker = new Program('worker', environment);
try {
  await Promise.all([server.start(), worker.start()]);
  while ((await fetch(new URL('/tasks', server.address))).status !== 200) await sleep(100);
  for (let count = 0; count < 5; count++) await runTask(server.address);
  const times: TaskTimes[] = [];
  for (let count = 0; count < Number(values.tasks); count++) {
    // At any moment between two looks of the worker.
    await sleep(Math.random() * longestPauseMs);
    times.push(await runTask(server.address));
  }
  report(
    'begun after the 202',
    times.map(({ begunMs }) => begunMs),
  );
  report(
    'finished after the 202',
    times.map(({ finishedMs }) => finishedMs),
  );
  report(
    'told after the 202',
    times.map(({ toldMs }) => toldMs),
  );
} finally {
  await Promise.all([server.stop(), worker.stop()]);
  await rm(folder, { recursive: true, force: true });
}
