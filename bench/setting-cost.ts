// What a setting costs: processor time of the main process for a request of the tiny workload, with several sets of
// settings, in many short rounds in turn, so that what else the machine does hits all of them alike. Two equal sets show
// how far apart chance puts them.
//
//   node bench/setting-cost.ts METRICS=0 METRICS=1
//   node bench/setting-cost.ts --rounds 40 LOG_LEVEL=silent LOG_LEVEL=info

import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import type { RunningServer } from './contestants/contestant.ts';
import { inferdRequests } from './contestants/inferd.ts';
import { freePort, startServer } from './contestants/server-process.ts';
import { closedLoop } from './load/closed-loop.ts';
import { folders } from './options.ts';
import { median } from './report/statistics.ts';
import { workload } from './workloads.ts';

const { values, positionals } = parseArgs({
  options: {
    rounds: { type: 'string', default: '20' },
    connections: { type: 'string', default: '64' },
    entry: { type: 'string', default: 'src/main.ts' },
  },
  allowPositionals: true,
});
const rounds = Number(values.rounds);
const connections = Number(values.connections);

interface Candidate {
  readonly settings: string;
  readonly server: RunningServer;
  readonly cpuUs: number[];
  readonly rates: number[];
}

async function start(settings: string, index: number): Promise<Candidate> {
  const port = await freePort();
  const pairs = settings.split(',').map((pair) => pair.split('='));
  const server = await startServer({
    name: `setting-${index}`,
    command: process.execPath,
    args: [path.join(folders.repository, values.entry), 'serve'],
    env: {
      NODE_ENV: 'production',
      HOST: '127.0.0.1',
      PORT: String(port),
      MODELS_DIR: path.join(folders.repository, 'models'),
      DATA_DIR: path.join(folders.cache, 'data', `setting-${index}`),
      STORAGE: 'off',
      ...Object.fromEntries(pairs),
    },
    port,
    readyPath: '/health/ready',
  });
  return { settings, server, cpuUs: [], rates: [] };
}

/** Time that every thread of the process has spent on a processor, in microseconds. */
function processorTimeUs(pid: number): number {
  const tasks = readdirSync(`/proc/${pid}/task`);
  const times = tasks.map((task) => Number(readFileSync(`/proc/${pid}/task/${task}/schedstat`, 'utf8').split(' ')[0]));
  return times.reduce((sum, ns) => sum + ns, 0) / 1000;
}

async function load({ server }: Candidate): Promise<{ cpuUs: number; rate: number }> {
  const requests = inferdRequests(workload('tiny'));
  const beforeUs = processorTimeUs(server.pid);
  const result = await closedLoop({ url: server.url, requests, connections, seconds: 1 });
  if (result.failed > 0) throw new Error(`${result.failed} requests failed`);
  const cpuUs = (processorTimeUs(server.pid) - beforeUs) / result.replies;
  return { cpuUs, rate: result.requestsPerSecond };
}

const candidates: Candidate[] = [];
try {
  for (const [index, settings] of positionals.entries()) candidates.push(await start(settings, index));
  for (let round = -3; round < rounds; round += 1) {
    // Whoever is first in one round is last in the next.
    for (const candidate of round % 2 === 0 ? candidates : candidates.toReversed()) {
      const { cpuUs, rate } = await load(candidate);
      if (round < 0) continue;
      candidate.cpuUs.push(cpuUs);
      candidate.rates.push(rate);
    }
  }
} finally {
  for (const { server } of candidates) await server.stop();
}

const [first] = candidates;
for (const { settings, cpuUs, rates } of candidates) {
  const ratio = median(cpuUs.map((us, round) => us / (first?.cpuUs[round] ?? us)));
  process.stdout.write(
    `${settings.padEnd(40)} ${median(cpuUs).toFixed(2)} µs a request, ` +
      `${((ratio - 1) * 100).toFixed(1)} % beside the first, ${Math.round(median(rates))} requests/s\n`,
  );
}
