/**
 * A graph over HTTP beside the same requests of a client, in alternating rounds:
 * `node bench/graph-http.ts [--rounds 11] [--seconds 2]`
 *
 * - a graph of two steps ÷ two requests in a row by a client: p50 with one connection, and pairs a second with 64;
 * - a graph of one step ÷ its member: requests a second with 64 connections.
 *
 * Every ratio is that of one round; told are the median and the quartiles.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { writeModel } from '../test/faces/classifier-model.ts';
import { writeGraph } from '../test/graphs/write-graph-models.ts';
import { float } from '../test/helpers/onnx-model.ts';
import { freePort, startServer } from './contestants/server-process.ts';
import { closedLoop } from './load/closed-loop.ts';
import { HttpConnection } from './load/http-connection.ts';
import { encodeRequest, jsonPost } from './load/http-request.ts';
import { median, quantile } from './report/statistics.ts';

const { values: options } = parseArgs({
  options: { rounds: { type: 'string', default: '11' }, seconds: { type: 'string', default: '2' } },
});
const rounds = Number(options.rounds);
const seconds = Number(options.seconds);

const value = { element: float, shape: ['n', 4] };
const doubling = {
  inputs: { x: value },
  outputs: { y: value },
  nodes: [{ op: 'Add', inputs: ['x', 'x'], outputs: ['y'] }],
};
const folder = await mkdtemp(join(os.tmpdir(), 'inferd-bench-'));
await writeModel(folder, 'first', doubling);
await writeModel(folder, 'second', doubling);
await writeGraph(folder, 'only', { steps: [{ name: 's', model: 'first' }] });
await writeGraph(folder, 'both', {
  steps: [
    { name: 'a', model: 'first' },
    { name: 'b', model: 'second', in: { x: 'a.y' } },
  ],
});
const port = await freePort();
const server = await startServer({
  name: 'inferd-graphs',
  command: process.execPath,
  args: ['dist/main.js', 'serve'],
  env: { PORT: String(port), MODELS_DIR: folder, STORAGE: 'off', LOG_LEVEL: 'warn' },
  port,
  readyPath: '/health/ready',
});
const post = (model: string) => jsonPost(`/models/${model}/predict`, { x: [[1, 2, 3, 4]] });
const encoded = (model: string) => encodeRequest(post(model), `127.0.0.1:${port}`);

/** Milliseconds of the requests, one after the other, of the median round trip. */
async function latencyMs(models: readonly string[]): Promise<number> {
  const connection = await HttpConnection.open(port, '127.0.0.1');
  const requests = models.map(encoded);
  const times: number[] = [];
  const endMs = performance.now() + 1000 * seconds;
  while (performance.now() < endMs) {
    const startedMs = performance.now();
    for (const request of requests) await connection.send(request);
    times.push(performance.now() - startedMs);
  }
  connection.close();
  return median(times);
}

async function ratePerSecond(models: readonly string[]): Promise<number> {
  const load = { url: server.url, requests: models.map(post), connections: 64, seconds };
  const { requestsPerSecond, failed } = await closedLoop(load);
  if (failed > 0) throw new Error(`${failed} requests failed`);
  return requestsPerSecond;
}

const ratios: Record<string, number[]> = {
  'p50 of both ÷ two in a row': [],
  'pairs a second': [],
  'one step ÷ member': [],
};
try {
  await ratePerSecond(['first', 'second', 'both', 'only']);
  for (let round = 0; round < rounds; round += 1) {
    ratios['p50 of both ÷ two in a row']?.push((await latencyMs(['both'])) / (await latencyMs(['first', 'second'])));
    ratios['pairs a second']?.push((await ratePerSecond(['both'])) / ((await ratePerSecond(['first', 'second'])) / 2));
    ratios['one step ÷ member']?.push((await ratePerSecond(['only'])) / (await ratePerSecond(['first'])));
  }
} finally {
  await server.stop();
  await rm(folder, { recursive: true });
}
for (const [name, values] of Object.entries(ratios)) {
  const [low, high] = [quantile(values, 0.25), quantile(values, 0.75)];
  process.stdout.write(`${name}: ${median(values).toFixed(3)} (${low.toFixed(3)}–${high.toFixed(3)})\n`);
}
