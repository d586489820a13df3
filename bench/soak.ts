// Hours in minutes: tiny and heavy at once at a share of what the machine can do, while both models are reloaded every few
// seconds. Nothing may fail, and the memory of the main process may not grow.
//
//   npm run bench:soak -- --minutes 10 --built

import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { inferd, inferdRequests } from './contestants/inferd.ts';
import type { HttpRequest } from './load/http-request.ts';
import { type Counts, steadyLoop } from './load/steady-loop.ts';
import { modelFiles } from './models/model-files.ts';
import { slopePerMinute } from './report/statistics.ts';
import { workload } from './workloads.ts';

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '10' },
    /** Of the capacity that is measured first. */
    share: { type: 'string', default: '0.7' },
    'reload-seconds': { type: 'string', default: '4' },
    built: { type: 'boolean', default: false },
  },
});
const minutes = Number(values.minutes);
const share = Number(values.share);
const reloadMs = 1000 * Number(values['reload-seconds']);

/** What has been loaded is settled by then. */
const settledMs = Math.min(120_000, (minutes * 60_000) / 4);
const capacityMs = 10_000;
const sampleMs = 5_000;
const mostGrowthMbPerMinute = 1;

interface Load {
  readonly name: string;
  readonly model: string;
  readonly requests: readonly HttpRequest[];
  /** Enough to keep the runner busy. */
  readonly connections: number;
}

const loads: readonly Load[] = [
  { name: 'tiny', model: 'iris', requests: inferdRequests(workload('tiny')), connections: 64 },
  { name: 'heavy', model: 'heavy', requests: inferdRequests(workload('heavy')), connections: 8 },
];

const newCounts = (): Counts => ({ answered: 0, failed: new Map() });

/** Sends every load at its rate for so long, and counts for each what came of it. */
async function send(url: string, forMs: number, rates: readonly number[]): Promise<Counts[]> {
  const signal = AbortSignal.timeout(forMs);
  return Promise.all(
    loads.map(async ({ requests, connections }, index) => {
      const counts = newCounts();
      await steadyLoop({ url, requests, connections, perSecond: rates[index] ?? 1, signal }, counts);
      return counts;
    }),
  );
}

/** Loads the models anew in turn; gives how often, and what failed. */
async function reload(url: string, forMs: number): Promise<Counts> {
  const counts = newCounts();
  const endMs = performance.now() + forMs;
  for (let turn = 0; performance.now() + reloadMs < endMs; turn += 1) {
    await sleep(reloadMs);
    const { model = '' } = loads[turn % loads.length] ?? {};
    const response = await fetch(`${url}/v2/repository/models/${model}/load`, { method: 'POST' });
    await response.arrayBuffer();
    if (response.ok) counts.answered += 1;
    else counts.failed.set(`load ${response.status}`, (counts.failed.get(`load ${response.status}`) ?? 0) + 1);
  }
  return counts;
}

interface Sample {
  readonly atMs: number;
  readonly mb: number;
}

async function watchMemory(pid: number, forMs: number): Promise<Sample[]> {
  const samples: Sample[] = [];
  const startMs = performance.now();
  for (let atMs = 0; atMs < forMs; atMs = performance.now() - startMs) {
    const kilobytes = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
    samples.push({ atMs, mb: Number(kilobytes) / 1024 });
    await sleep(sampleMs);
  }
  return samples;
}

const say = (text: string) => void process.stdout.write(`${text}\n`);

const contestant = inferd({ name: 'inferd', built: values.built });
const server = await contestant.start({
  workloads: [workload('tiny'), workload('heavy')],
  modelFiles: modelFiles(),
  cores: availableParallelism(),
  replies: new Map(),
});
try {
  await send(
    server.url,
    capacityMs / 2,
    loads.map(() => Number.POSITIVE_INFINITY),
  );
  const most = await send(
    server.url,
    capacityMs,
    loads.map(() => Number.POSITIVE_INFINITY),
  );
  const rates = most.map(({ answered }) => (share * answered * 1000) / capacityMs);
  for (const [index, { name }] of loads.entries()) {
    say(`${name}: ${Math.round((rates[index] ?? 0) / share)} requests/s at most, ${Math.round(rates[index] ?? 0)} now`);
  }

  const forMs = minutes * 60_000;
  const [sent, reloads, samples] = await Promise.all([
    send(server.url, forMs, rates),
    reload(server.url, forMs),
    watchMemory(server.pid, forMs),
  ]);

  for (const [index, { name }] of loads.entries()) {
    const { answered = 0 } = sent[index] ?? {};
    say(`${name}: ${answered} answered with 200, ${Math.round(answered / (minutes * 60))} a second`);
  }
  say(`reloads: ${reloads.answered}`);
  const failures = [...sent, reloads].flatMap(({ failed }) => [...failed]);
  for (const [what, count] of failures) say(`failed: ${count} × ${what}`);

  const settled = samples.filter(({ atMs }) => atMs >= settledMs);
  const growth = slopePerMinute(settled.map(({ atMs, mb }) => ({ atMs, value: mb })));
  const [first, last] = [settled[0]?.mb ?? 0, settled.at(-1)?.mb ?? 0];
  say(
    `memory of the main process: ${first.toFixed(1)} MB after ${settledMs / 1000} s, ${last.toFixed(1)} MB at the end`,
  );
  say(`growth after ${settledMs / 1000} s: ${growth.toFixed(2)} MB a minute, of at most ${mostGrowthMbPerMinute}`);
  process.exitCode = failures.length === 0 && growth < mostGrowthMbPerMinute ? 0 : 1;
} finally {
  await server.stop();
}
