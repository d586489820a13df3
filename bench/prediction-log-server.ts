// What the prediction log costs a whole server of the tiny workload: one process serves the same model under two names, of
// which one is kept, and is asked for them in turn. Two processes would differ by more than the log costs.
//
//   DATABASE_URL=postgres://postgres@127.0.0.1/inferd node bench/prediction-log-server.ts [--rounds 30]

import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { freePort, startServer } from './contestants/server-process.ts';
import { closedLoop } from './load/closed-loop.ts';
import { jsonPost } from './load/http-request.ts';
import { folders } from './options.ts';
import { processorTimeUs } from './processor-time.ts';
import { median } from './report/statistics.ts';
import { nestedRow, workload } from './workloads.ts';

const { values } = parseArgs({ options: { rounds: { type: 'string', default: '30' } } });
const names = ['kept', 'unkept'] as const;
const tiny = workload('tiny');

function makeRepository(folder: string): void {
  for (const name of names) {
    cpSync(path.join(folders.repository, 'models', 'iris'), path.join(folder, name), { recursive: true });
    const manifest = { predictionLog: { share: name === 'kept' ? 1 : 0 } };
    writeFileSync(path.join(folder, name, 'model.json'), JSON.stringify(manifest));
  }
}

const folder = mkdtempSync(path.join(tmpdir(), 'inferd-bench-'));
makeRepository(folder);
const port = await freePort();
const server = await startServer({
  name: 'prediction-log',
  command: process.execPath,
  args: [path.join(folders.repository, 'src/main.ts'), 'serve'],
  env: {
    NODE_ENV: 'production',
    HOST: '127.0.0.1',
    PORT: String(port),
    MODELS_DIR: folder,
    DATA_DIR: path.join(folder, 'data'),
  },
  port,
  readyPath: '/health/ready',
});
const cpuUs = { kept: [] as number[], unkept: [] as number[] };
const rates = { kept: [] as number[], unkept: [] as number[] };
try {
  for (let round = -5; round < Number(values.rounds); round += 1) {
    for (const name of round % 2 === 0 ? names : names.toReversed()) {
      const requests = tiny.rows.map((row) =>
        jsonPost(`/models/${name}/predict`, { [tiny.inputName]: nestedRow(tiny, row) }),
      );
      const beforeUs = processorTimeUs(server.pid);
      const result = await closedLoop({ url: server.url, requests, connections: 64, seconds: 1 });
      if (result.failed > 0) throw new Error(`${result.failed} requests failed`);
      if (round < 0) continue;
      cpuUs[name].push((processorTimeUs(server.pid) - beforeUs) / result.replies);
      rates[name].push(result.requestsPerSecond);
    }
  }
} finally {
  await server.stop();
  rmSync(folder, { recursive: true });
}

const ratios = rates.kept.map((rate, round) => rate / (rates.unkept[round] ?? Number.NaN));
for (const name of names) {
  process.stdout.write(
    `${name}: ${median(rates[name]).toFixed(0)} requests/s, ${median(cpuUs[name]).toFixed(1)} µs a request\n`,
  );
}
process.stdout.write(`rate kept ÷ unkept, median of ${ratios.length} rounds: ${median(ratios).toFixed(3)}\n`);
