// What a setting costs: processor time of the main process for a request of the tiny workload, with several sets of
// settings, in many short rounds in turn, so that what else the machine does hits all of them alike. Equal processes differ
// by a tenth and more for as long as they live, so all of them are started several times, and the least of each set
// counts. Two equal sets show how far apart chance puts them.
//
//   node bench/setting-cost.ts METRICS=0 METRICS=1
//   node bench/setting-cost.ts --starts 9 LOG_LEVEL=silent LOG_LEVEL=info

import path from 'node:path';
import { parseArgs } from 'node:util';
import type { RunningServer } from './contestants/contestant.ts';
import { inferdRequests } from './contestants/inferd.ts';
import { freePort, startServer } from './contestants/server-process.ts';
import { closedLoop } from './load/closed-loop.ts';
import { folders } from './options.ts';
import { processorTimeUs } from './processor-time.ts';
import { median } from './report/statistics.ts';
import { workload } from './workloads.ts';

const { values, positionals } = parseArgs({
  options: {
    starts: { type: 'string', default: '5' },
    rounds: { type: 'string', default: '5' },
    connections: { type: 'string', default: '64' },
    entry: { type: 'string', default: 'src/main.ts' },
  },
  allowPositionals: true,
});
const starts = Number(values.starts);
const rounds = Number(values.rounds);
const connections = Number(values.connections);

interface Candidate {
  readonly settings: string;
  readonly server: RunningServer;
  readonly cpuUs: number[];
  readonly rates: number[];
}

/** What one process took, in the middle of its rounds. */
interface Life {
  readonly cpuUs: number;
  readonly rate: number;
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

async function load({ server }: Candidate): Promise<{ cpuUs: number; rate: number }> {
  const requests = inferdRequests(workload('tiny'));
  const beforeUs = processorTimeUs(server.pid);
  const result = await closedLoop({ url: server.url, requests, connections, seconds: 1 });
  if (result.failed > 0) throw new Error(`${result.failed} requests failed`);
  const cpuUs = (processorTimeUs(server.pid) - beforeUs) / result.replies;
  return { cpuUs, rate: result.requestsPerSecond };
}

/** Starts every set of settings once, and measures them in turn. */
async function measureOnce(): Promise<Life[]> {
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
  return candidates.map(({ cpuUs, rates }) => ({ cpuUs: median(cpuUs), rate: median(rates) }));
}

const lives: Life[][] = [];
for (let index = 0; index < starts; index += 1) lives.push(await measureOnce());

const leastUs = positionals.map((_, index) => Math.min(...lives.map((life) => life[index]?.cpuUs ?? Number.NaN)));
for (const [index, settings] of positionals.entries()) {
  const cpuUs = leastUs[index] ?? Number.NaN;
  const all = lives.map((life) => life[index]?.cpuUs.toFixed(1)).join(' ');
  const rate = Math.max(...lives.map((life) => life[index]?.rate ?? Number.NaN));
  process.stdout.write(
    `${settings.padEnd(40)} ${cpuUs.toFixed(2)} µs a request (${all}), ` +
      `${((cpuUs / (leastUs[0] ?? cpuUs) - 1) * 100).toFixed(1)} % beside the first, ${Math.round(rate)} requests/s
`,
  );
}
