/**
 * Measures background tasks: how many are taken and finished in a second, and what they cost those who wait for a
 * prediction. `node bench/tasks.ts [--database postgres://…] [--seconds 5] [--rounds 5]`
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { Program } from '../test/chaos/program.ts';
import { median, quantile } from './report/statistics.ts';

const { values } = parseArgs({
  options: {
    database: { type: 'string' },
    seconds: { type: 'string', default: '5' },
    rounds: { type: 'string', default: '5' },
    clients: { type: 'string', default: '64' },
  },
});
const seconds = Number(values.seconds);
const submitters = Number(values.clients);
const flower = { sepal_length: 5.1, sepal_width: 3.5, petal_length: 1.4, petal_width: 0.2 };
const init = { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(flower) };

interface Latencies {
  readonly p50Ms: number;
  readonly p99Ms: number;
}

interface Round {
  readonly takenPerSecond: number;
  readonly finishedPerSecond: number;
  readonly alone: Latencies;
  readonly beside: Latencies;
  /** Tasks that were finished in a second beside the predictions, and how many of them waited. */
  readonly besidePerSecond: number;
  readonly waiting: number;
}

/** Sends requests one after the other by each of so many clients, and gives the times of those that were answered. */
async function load(path: string, clients: number, pauseMs = 0): Promise<number[]> {
  const untilMs = performance.now() + seconds * 1000;
  const timesMs: number[] = [];
  const client = async () => {
    while (performance.now() < untilMs) {
      const startedMs = performance.now();
      const response = await fetch(at(path), init);
      await response.arrayBuffer();
      if (response.ok) timesMs.push(performance.now() - startedMs);
      if (pauseMs > 0) await sleep(pauseMs);
    }
  };
  await Promise.all(Array.from({ length: clients }, client));
  return timesMs;
}

/** Four clients who wait for predictions, with short pauses. */
async function predict(): Promise<Latencies> {
  const timesMs = await load('/iris/predict', 4, 5);
  return { p50Ms: quantile(timesMs, 0.5), p99Ms: quantile(timesMs, 0.99) };
}

async function measure(): Promise<Round> {
  const startedMs = performance.now();
  const taken = await load('/iris/tasks', submitters);
  await whenNoneWaits();
  const finishedSeconds = (performance.now() - startedMs) / 1000;

  const alone = await predict();
  const dueMs = performance.now() + (seconds + 2) * 1000;
  const { length: waiting } = await load(`/iris/tasks?delay_s=${seconds + 2}`, submitters);
  await sleep(dueMs - performance.now());
  const before = await succeeded();
  const beside = await predict();
  const besidePerSecond = ((await succeeded()) - before) / seconds;
  await whenNoneWaits();
  return {
    takenPerSecond: taken.length / seconds,
    finishedPerSecond: taken.length / finishedSeconds,
    alone,
    beside,
    besidePerSecond,
    waiting,
  };
}

/** How many tasks have succeeded so far. */
async function succeeded(): Promise<number> {
  const text = await (await fetch(at('/metrics'))).text();
  return Number(/inferd_task_events_total\{event="succeeded"\} (\d+)/.exec(text)?.[1]);
}

async function whenNoneWaits(): Promise<void> {
  for (const state of ['queued', 'running']) {
    while (((await (await fetch(at(`/tasks?state=${state}&limit=1`))).json()) as { tasks: [] }).tasks.length > 0)
      await sleep(50);
  }
}

function print(round: Round, name: string): void {
  const { takenPerSecond, finishedPerSecond, alone, beside, besidePerSecond, waiting } = round;
  const of = ({ p50Ms, p99Ms }: Latencies) => `${p50Ms.toFixed(2)} / ${p99Ms.toFixed(2)} ms`;
  process.stdout.write(
    `${name}: taken ${takenPerSecond.toFixed(0)}/s, finished ${finishedPerSecond.toFixed(0)}/s; ` +
      `online p50 / p99 alone ${of(alone)}, beside ${waiting} tasks (${besidePerSecond.toFixed(0)}/s done) ${of(beside)}\n`,
  );
}

/** The median of a figure over all rounds. */
function middle(of: (round: Round) => number): number {
  return median(rounds.map(of));
}

const folder = await mkdtemp(join(tmpdir(), 'inferd-bench-tasks-'));
const server = new Program('serve', {
  DATA_DIR: folder,
  LOG_LEVEL: 'info',
  ...(values.database !== undefined && { DATABASE_URL: values.database }),
});
const at = (path: string) => new URL(path, server.address);
const rounds: Round[] = [];
try {
  await server.start();
  while ((await fetch(at('/tasks'))).status !== 200) await sleep(100);
  await predict();
  for (let number = 1; number <= Number(values.rounds); number++) {
    const round = await measure();
    rounds.push(round);
    print(round, `round ${number}`);
  }
  const latencies = (of: (round: Round) => Latencies) => ({
    p50Ms: middle((round) => of(round).p50Ms),
    p99Ms: middle((round) => of(round).p99Ms),
  });
  const medians = {
    takenPerSecond: middle((round) => round.takenPerSecond),
    finishedPerSecond: middle((round) => round.finishedPerSecond),
    alone: latencies(({ alone }) => alone),
    beside: latencies(({ beside }) => beside),
    besidePerSecond: middle((round) => round.besidePerSecond),
    waiting: middle((round) => round.waiting),
  };
  print(medians, 'median');
  process.stdout.write(`p99 beside ÷ alone: ${middle(({ alone, beside }) => beside.p99Ms / alone.p99Ms).toFixed(2)}\n`);
} finally {
  await server.stop();
  await rm(folder, { recursive: true, force: true });
}
