/**
 * The cache of a model beside the same model without one, in alternating rounds:
 * `node bench/cache.ts [--rounds 21] [--seconds 1]`
 *
 * - in the engine (one runner, one request in flight): a hit ÷ a run; a tiny and a 600 KB model, all misses ÷ no cache;
 * - over HTTP, two servers of the shipped model iris and 64 connections: requests a second, all misses ÷ no cache, with
 *   the processor time of main; and all hits ÷ no cache.
 *
 * Every ratio is that of one round; told are the median and the quartiles.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { Agent, request } from 'node:http';
import os from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import { AnswerMemory } from '../src/inference/cache/answer-memory.ts';
import { CachedPredictor } from '../src/inference/cache/cached-predictor.ts';
import { loadModel } from '../src/inference/model.ts';
import type { PredictContext, Predictor } from '../src/inference/predictor.ts';
import { float32, type Tensors } from '../src/tensor/tensor.ts';
import { systemClock } from '../src/timing/clock.ts';
import { float, type Model, onnxModel } from '../test/helpers/onnx-model.ts';
import { median, quantile } from './report/statistics.ts';

const { values: options } = parseArgs({
  options: { rounds: { type: 'string', default: '21' }, seconds: { type: 'string', default: '1' } },
});
const rounds = Number(options.rounds);
const roundMs = 1000 * Number(options.seconds);
const connections = 64;
const folder = await mkdtemp(join(os.tmpdir(), 'inferd-bench-'));
const projectDir = new URL('..', import.meta.url).pathname;

type Measure = () => Promise<number>;

interface Row {
  readonly what: string;
  readonly bar: string;
  readonly unit: string;
  readonly cached: Measure;
  readonly plain: Measure;
}

async function compare({ what, bar, unit, cached, plain }: Row) {
  const ratios: number[] = [];
  const values = { cached: [] as number[], plain: [] as number[] };
  for (let round = -2; round < rounds; round += 1) {
    const order = round % 2 === 0 ? (['cached', 'plain'] as const) : (['plain', 'cached'] as const);
    const of = { cached: 0, plain: 0 };
    for (const which of order) of[which] = await (which === 'cached' ? cached() : plain());
    if (round < 0) continue;
    ratios.push(of.cached / of.plain);
    values.cached.push(of.cached);
    values.plain.push(of.plain);
  }
  const short = (value: number) => Number(value.toPrecision(4));
  return {
    what,
    ratio: short(median(ratios)),
    quartiles: [quantile(ratios, 0.25), quantile(ratios, 0.75)].map(short),
    bar,
    [`cached${unit}`]: short(median(values.cached)),
    [`plain${unit}`]: short(median(values.plain)),
  };
}

/** Median milliseconds of an answer, one after the other. */
async function p50(predictor: Predictor, inputs: () => Tensors): Promise<number> {
  const times: number[] = [];
  const untilMs = performance.now() + roundMs;
  while (performance.now() < untilMs) {
    const asked = inputs();
    const startedMs = performance.now();
    await predictor.predict(asked, context());
    times.push(performance.now() - startedMs);
  }
  return median(times);
}

const signal = new AbortController().signal;

function context(): PredictContext {
  return { requestId: '', signal, deadlineMs: systemClock.now() + 60_000, arrivedAt: 0 };
}

async function openModel(name: string, model: Model): Promise<{ plain: Predictor; cached: Predictor }> {
  const path = join(folder, `${name}.onnx`);
  await writeFile(path, onnxModel(model));
  const batching = {
    enabled: true,
    maxSize: 32,
    maxRequestRows: 1024,
    maxDelayMs: 0,
    maxQueueRows: 10_000,
    maxQueueBytes: 2 ** 30,
  };
  const log = { info: () => {}, warn: () => {}, error: () => {} };
  const session = { intraOpThreads: 1 };
  const plain = await loadModel(
    { name, version: '1', path, instances: 1, batching, session, timeoutMs: 60_000, loadTimeoutMs: 60_000 },
    { clock: systemClock, log },
  );
  const cached = new CachedPredictor({
    model: name,
    predictor: plain,
    answers: new AnswerMemory(64 * 2 ** 20, systemClock).open(),
    clock: systemClock,
    ttlMs: 300_000,
    maxInputBytes: 2 ** 20,
    scope: 'all',
    identity: () => '1',
  });
  return { plain, cached };
}

const value = { element: float, shape: ['n', 4] };
const tiny: Model = {
  inputs: { x: value },
  outputs: { y: value },
  nodes: [{ op: 'Add', inputs: ['x', 'x'], outputs: ['y'] }],
};
/** About as long a run as that of the workload `binary`: one convolution of 3 × 224 × 224, then means. */
const picture: Model = {
  opsets: { '': 13 },
  inputs: { x: { element: float, shape: ['n', 3, 224, 224] } },
  outputs: { y: { element: float, shape: ['n', 24, 1, 1] } },
  nodes: [
    { op: 'Conv', inputs: ['x', 'w'], outputs: ['c'] },
    { op: 'Relu', inputs: ['c'], outputs: ['r'] },
    { op: 'GlobalAveragePool', inputs: ['r'], outputs: ['y'] },
  ],
  initializers: [
    {
      name: 'w',
      type: float,
      dims: [24, 3, 3, 3],
      raw: new Uint8Array(Float32Array.from({ length: 24 * 27 }, (_, index) => Math.sin(index)).buffer),
    },
  ],
};

let asked = 0;
const otherRow = () => {
  asked += 1;
  return { x: float32([1, 4], [asked, 1, 2, 3]) };
};
const sameRow = () => ({ x: float32([1, 4], [-1, 1, 2, 3]) });
const pixels = Float32Array.from({ length: 3 * 224 * 224 }, (_, index) => Math.sin(index));
const otherPicture = () => {
  asked += 1;
  pixels[asked % pixels.length] = asked;
  return { x: float32([1, 3, 224, 224], pixels) };
};

async function engineRows() {
  const small = await openModel('tiny', tiny);
  const large = await openModel('picture', picture);
  const report = [
    await compare({
      what: 'hit ÷ run in the engine, p50',
      bar: '≤ 0.10',
      unit: 'Ms',
      cached: () => p50(small.cached, sameRow),
      plain: () => p50(small.plain, sameRow),
    }),
    await compare({
      what: 'tiny, all misses ÷ no cache, engine, p50',
      bar: '–',
      unit: 'Ms',
      cached: () => p50(small.cached, otherRow),
      plain: () => p50(small.plain, otherRow),
    }),
    await compare({
      what: '600 KB, all misses ÷ no cache, engine, p50',
      bar: '–',
      unit: 'Ms',
      cached: () => p50(large.cached, otherPicture),
      plain: () => p50(large.plain, otherPicture),
    }),
  ];
  await Promise.all([small.cached.close(), large.cached.close()]);
  return report;
}

interface Server {
  readonly child: ChildProcess;
  readonly port: number;
}

async function startServer(name: string, manifest: object): Promise<Server> {
  const models = join(folder, name);
  await mkdir(join(models, 'picture', '1'), { recursive: true });
  await writeFile(join(models, 'picture', '1', 'model.onnx'), onnxModel(picture));
  await writeFile(
    join(models, 'picture', 'model.json'),
    JSON.stringify({ session: { intraOpThreads: 1 }, ...manifest }),
  );
  await cp(join(projectDir, 'models/iris'), join(models, 'iris'), { recursive: true });
  const path = join(models, 'iris', 'model.json');
  const own: object = JSON.parse(await readFile(path, 'utf8'));
  await writeFile(path, JSON.stringify({ ...own, ...manifest }));
  const env = { ...process.env, HOST: '127.0.0.1', PORT: '0', MODELS_DIR: models, STORAGE: 'off' };
  const child = spawn(process.execPath, ['src/main.ts', 'serve'], {
    cwd: projectDir,
    env,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  return new Promise((resolve, reject) => {
    child.once('exit', () => reject(new Error('the server ended')));
    createInterface(child.stdout).on('line', (line) => {
      const port = /inferd serves .* at http:\/\/127\.0\.0\.1:(\d+)/.exec(line)?.[1];
      if (port !== undefined) resolve({ child, port: Number(port) });
    });
  });
}

const agent = new Agent({ keepAlive: true, maxSockets: connections });

const json = { 'content-type': 'application/json' };

function ask({ port }: Server, body: string | Buffer, path = '/iris/predict', type: object = json): Promise<void> {
  return new Promise((resolve, reject) => {
    const headers = { ...type, 'content-length': body.length };
    const sent = request({ agent, host: '127.0.0.1', port, method: 'POST', path, headers }, (reply) => {
      if (reply.statusCode !== 200) reject(new Error(`the server answers ${reply.statusCode}`));
      reply.resume().on('end', resolve);
    });
    sent.on('error', reject).end(body);
  });
}

const flower = (width: number) =>
  JSON.stringify({ sepal_length: 5.1, sepal_width: width, petal_length: 1.4, petal_width: 0.2 });
const otherFlower = () => {
  asked += 1;
  return flower(2 + (asked % 4_000_000) / 2_000_000);
};

/** Seconds of processor time that the process has taken. */
async function processorSeconds({ child }: Server): Promise<number> {
  const stat = await readFile(`/proc/${child.pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

async function load(server: Server, body: () => string) {
  let answered = 0;
  const startedMs = performance.now();
  const before = await processorSeconds(server);
  const client = async () => {
    while (performance.now() - startedMs < roundMs) {
      await ask(server, body());
      answered += 1;
    }
  };
  await Promise.all(Array.from({ length: connections }, client));
  return {
    perSecond: (1000 * answered) / (performance.now() - startedMs),
    processorUs: (1e6 * ((await processorSeconds(server)) - before)) / answered,
  };
}

/** Median milliseconds of an answer to 600 KB by the binary form of the Open Inference Protocol, one after the other. */
async function pictureP50(server: Server): Promise<number> {
  const parameters = { binary_data_size: pixels.byteLength };
  const input = { name: 'x', datatype: 'FP32', shape: [1, 3, 224, 224], parameters };
  const head = Buffer.from(JSON.stringify({ inputs: [input] }));
  const type = {
    'content-type': 'application/octet-stream',
    'inference-header-content-length': String(head.byteLength),
  };
  const times: number[] = [];
  const untilMs = performance.now() + roundMs;
  while (performance.now() < untilMs) {
    otherPicture();
    const body = Buffer.concat([head, Buffer.from(pixels.buffer)]);
    const startedMs = performance.now();
    await ask(server, body, '/v2/models/picture/infer', type);
    times.push(performance.now() - startedMs);
  }
  return median(times);
}

async function httpRows() {
  const cached = await startServer('cached', { cache: {} });
  const plain = await startServer('plain', {});
  const of = (server: Server, figure: 'perSecond' | 'processorUs', body: () => string) => async () =>
    (await load(server, body))[figure];
  const row = (what: string, bar: string, figure: 'perSecond' | 'processorUs', body: () => string): Row => ({
    what,
    bar,
    unit: figure === 'perSecond' ? 'PerSecond' : 'Us',
    cached: of(cached, figure, body),
    plain: of(plain, figure, body),
  });
  const report = [
    await compare({
      what: '600 KB, all misses ÷ no cache, HTTP, p50',
      bar: '≤ 1.15',
      unit: 'Ms',
      cached: () => pictureP50(cached),
      plain: () => pictureP50(plain),
    }),
    await compare(row('tiny, all misses ÷ no cache, HTTP, requests a second', '≥ 0.97', 'perSecond', otherFlower)),
    await compare(row("tiny, all misses ÷ no cache, HTTP, main's CPU a request", '–', 'processorUs', otherFlower)),
    await compare(row('tiny, all hits ÷ no cache, HTTP, requests a second', '–', 'perSecond', () => flower(3.5))),
  ];
  agent.destroy();
  for (const { child } of [cached, plain]) child.kill('SIGKILL');
  return report;
}

// More than a little means that something else runs.
const loadBefore = os.loadavg()[0];
const report = [...(await engineRows()), ...(await httpRows())];
await rm(folder, { recursive: true });
process.stdout.write(`${JSON.stringify({ loadBefore, cores: os.availableParallelism(), rounds, report }, null, 2)}\n`);
