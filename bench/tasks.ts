/**
 * Measures background tasks: how many are taken and finished in a second, and what they cost those who wait for a
 * prediction. `node bench/tasks.ts [--database postgres://…] [--seconds 10]`
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { Program } from '../test/chaos/program.ts';

const { values } = parseArgs({
  options: {
    database: { type: 'string' },
    seconds: { type: 'string', default: '10' },
    clients: { type: 'string', default: '64' },
  },
});
const seconds = Number(values.seconds);
const flower = { sepal_length: 5.1, sepal_width: 3.5, petal_length: 1.4, petal_width: 0.2 };
const init = { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(flower) };
const write = (line: string) => void process.stdout.write(`${line}\n`);

/** Sends requests one after the other by each of so many clients, and gives the times of those that were answered. */
async function load(url: URL, clients: number, untilMs: number, pauseMs = 0): Promise<number[]> {
  const timesMs: number[] = [];
  const client = async () => {
    while (performance.now() < untilMs) {
      const startedMs = performance.now();
      const response = await fetch(url, init);
      await response.arrayBuffer();
      if (response.ok) timesMs.push(performance.now() - startedMs);
      if (pauseMs > 0) await sleep(pauseMs);
    }
  };
  await Promise.all(Array.from({ length: clients }, client));
  return timesMs.toSorted((a, b) => a - b);
}

/** How many tasks have succeeded so far. */
async function succeeded(): Promise<number> {
  const text = await (await fetch(new URL('/metrics', server.address))).text();
  return Number(/inferd_task_events_total\{event="succeeded"\} (\d+)/.exec(text)?.[1]);
}

const percentile = (sorted: readonly number[], part: number) => sorted[Math.floor(sorted.length * part)] ?? Number.NaN;
const inSeconds = () => performance.now() + seconds * 1000;
const folder = await mkdtemp(join(tmpdir(), 'inferd-bench-tasks-'));
const server = new Program('serve', {
  DATA_DIR: folder,
  LOG_LEVEL: 'info',
  ...(values.database !== undefined && { DATABASE_URL: values.database }),
});
try {
  await server.start();
  const at = (path: string) => new URL(path, server.address);
  while ((await fetch(at('/tasks'))).status !== 200) await sleep(100);
  const online = (untilMs: number) => load(at('/iris/predict'), 4, untilMs, 5);

  await online(performance.now() + 2000);
  const alone = await online(inSeconds());
  const startedMs = performance.now();
  const taken = await load(at('/iris/tasks'), Number(values.clients), inSeconds());
  for (const state of ['queued', 'running']) {
    while (((await (await fetch(at(`/tasks?state=${state}&limit=1`))).json()) as { tasks: [] }).tasks.length > 0)
      await sleep(50);
  }
  const finishedSeconds = (performance.now() - startedMs) / 1000;
  const delayed = await load(at(`/iris/tasks?delay_s=${seconds + 4}`), Number(values.clients), inSeconds());
  await sleep(4000);
  const before = await succeeded();
  const beside = await online(inSeconds());
  const workedOn = (await succeeded()) - before;
  write(`worked on beside predictions: ${Math.round(workedOn / seconds)}/s of ${delayed.length} that waited`);
  write(`taken: ${Math.round(taken.length / seconds)}/s, p50 ${percentile(taken, 0.5).toFixed(1)} ms`);
  write(
    `finished: ${Math.round(taken.length / finishedSeconds)}/s (${taken.length} in ${finishedSeconds.toFixed(1)} s)`,
  );
  write(`online p50 and p99 alone ${percentile(alone, 0.5).toFixed(2)} and ${percentile(alone, 0.99).toFixed(2)} ms`);
  write(
    `online p50 and p99 beside ${percentile(beside, 0.5).toFixed(2)} and ${percentile(beside, 0.99).toFixed(2)} ms`,
  );
} finally {
  await server.stop();
  await rm(folder, { recursive: true, force: true });
}
