/**
 * Measures faces beside what they stand on, each pair in turn:
 *
 *   node bench/faces.ts MODELS TEXTS [rounds]
 *
 * MODELS has `minilm` and `titanic-columns` as users lay them out; TEXTS has a text in each line.
 */
import { execFile } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { pino } from 'pino';
import { bucketOf } from '../src/faces/text-input/buckets.ts';
import { startServer } from '../src/lifespan.ts';
import { readSettings } from '../src/settings.ts';
import { TextProcess } from '../src/texts/text-process.ts';

const [models, textsFile, roundsText = '5'] = process.argv.slice(2);
if (models === undefined || textsFile === undefined) {
  process.stderr.write('node bench/faces.ts MODELS TEXTS [rounds]\n');
  process.exit(2);
}
const rounds = Number(roundsText);
const texts = readFileSync(textsFile, 'latin1')
  .split('\n')
  .map((line) => line.trim())
  .filter((line) => line !== '')
  .slice(0, 512);

const folder = mkdtempSync(join(tmpdir(), 'inferd-bench-faces-'));
for (const name of ['minilm', 'titanic-columns'])
  cpSync(join(models, name, '1'), join(folder, name, '1'), { recursive: true });
const environment = { HOST: '127.0.0.1', PORT: '0', MODELS_DIR: folder, STORAGE: 'off', LOG_LEVEL: 'silent' };
const server = await startServer(readSettings(environment), {
  domains: [],
  log: pino({ level: 'silent' }),
  version: 'bench',
});
await server.loaded;
const { address } = server;
process.stdout.write(`${texts.length} texts, ${rounds} rounds, medians\n`);

/** Requests a second that wrk makes, each line of the file a body. */
async function requestsPerSecond(
  path: string,
  bodies: readonly unknown[],
  connections = 64,
  seconds = 4,
): Promise<number> {
  const script = join(folder, 'wrk.lua');
  const list = bodies.map((body) => `[==[${JSON.stringify(body)}]==]`).join(',\n');
  writeFileSync(
    script,
    `local bodies = {${list}}\nlocal at = 0\nwrk.method = "POST"\nwrk.headers["content-type"] = "application/json"\n` +
      'request = function() at = at % #bodies + 1; return wrk.format(nil, nil, nil, bodies[at]) end\n',
  );
  const args = ['-t1', `-c${connections}`, `-d${seconds}s`, '-s', script, new URL(path, address).href];
  const { stdout } = await promisify(execFile)('wrk', args);
  if (/Non-2xx/.test(stdout)) throw new Error(stdout);
  return Number(/Requests\/sec:\s*([\d.]+)/.exec(stdout)?.[1]);
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

async function compare(
  name: string,
  bar: string,
  one: () => Promise<number> | number,
  other: () => Promise<number> | number,
) {
  const [ones, others]: [number[], number[]] = [[], []];
  for (let round = 0; round < rounds; round++) {
    ones.push(await one());
    others.push(await other());
  }
  const ratio = median(ones.map((value, index) => value / (others[index] ?? Number.NaN)));
  process.stdout.write(
    `${name}: ${median(ones).toFixed(1)} ÷ ${median(others).toFixed(1)} = ${ratio.toFixed(3)} (bar ${bar})\n`,
  );
}

const record = { pclass: 3, sex: 'male', age: 22, fare: 7.25, embarked: 'S' };
const tensors = Object.fromEntries(Object.entries(record).map(([name, value]) => [name, [[value]]]));
await compare(
  'table: requests/s of records ÷ of tensors',
  '>= 0.9',
  () => requestsPerSecond('/titanic-columns/predict', [record]),
  () => requestsPerSecond('/models/titanic-columns/predict', [tensors]),
);

const tokenizers = new TextProcess({ log: { warn: () => {} } });
const held = await tokenizers.load(join(models, 'minilm/1/tokenizer.json'));
const keep = { tokens: 254, side: 'right' } as const;

/** Bare ONNX Runtime over the same tokens, the texts sorted by length and padded as the face pads them. */
async function bareTextsPerSecond(): Promise<number> {
  const { InferenceSession, Tensor } = createRequire(import.meta.url)(
    'onnxruntime-node',
  ) as typeof import('onnxruntime-node');
  bare ??= await InferenceSession.create(join(models ?? '', 'minilm/1/model.onnx'));
  const startedMs = performance.now();
  const rows = (await tokenizers.encode(held, texts, { keep, details: false }))
    .map(({ ids }) => ids)
    .toSorted((a, b) => a.length - b.length);
  for (let at = 0; at < rows.length; at += 32) {
    const own = rows.slice(at, at + 32);
    const length = bucketOf(Math.max(...own.map((ids) => ids.length)) + 2, 256);
    const shape = [own.length, length];
    const [ids, mask] = [new BigInt64Array(own.length * length), new BigInt64Array(own.length * length)];
    for (const [row, tokens] of own.entries()) {
      for (const [index, id] of tokens.entries()) ids[row * length + index + 1] = BigInt(id);
      mask.fill(1n, row * length, row * length + tokens.length + 2);
    }
    const int64 = (data: BigInt64Array) => new Tensor('int64', data, shape);
    await bare.run({
      input_ids: int64(ids),
      attention_mask: int64(mask),
      token_type_ids: int64(new BigInt64Array(ids.length)),
    });
  }
  return (texts.length / (performance.now() - startedMs)) * 1000;
}
let bare: import('onnxruntime-node').InferenceSession | undefined;

async function faceTextsPerSecond(): Promise<number> {
  const startedMs = performance.now();
  const body = JSON.stringify({ input: texts, model: 'minilm' });
  const response = await fetch(new URL('/v1/embeddings', address), {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body,
  });
  await response.arrayBuffer();
  if (!response.ok) throw new Error(`status ${response.status}`);
  return (texts.length / (performance.now() - startedMs)) * 1000;
}

await compare(
  'embeddings: texts/s of one request ÷ bare ONNX Runtime',
  '>= 0.9',
  faceTextsPerSecond,
  bareTextsPerSecond,
);

const single = await requestsPerSecond(
  '/v1/embeddings',
  texts.slice(0, 256).map((input) => ({ input, model: 'minilm' })),
  64,
  6,
);
process.stdout.write(`embeddings: ${single.toFixed(1)} texts/s, 64 connections of one text each\n`);

const [text33 = ''] = texts.filter((text) => text.split(' ').length >= 28);
for (const [what, list, bar] of [
  ['a text', [text33], 250],
  ['32 texts', texts.slice(0, 32), 2000],
] as const) {
  const micros: number[] = [];
  for (let index = 0; index < 500; index++) {
    const startedMs = performance.now();
    await tokenizers.encode(held, list, { keep, details: false });
    micros.push((performance.now() - startedMs) * 1000);
  }
  process.stdout.write(
    `tokens of ${what}: p50 ${median(micros.slice(50)).toFixed(0)} µs, message included (bar ${bar})\n`,
  );
}

const long = texts.join(' ').slice(0, 100_000);
const live: number[] = [];
let isOver = false;
const senders = Array.from({ length: 4 }, async () => {
  while (!isOver) {
    await fetch(new URL('/minilm/predict', address), {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ text: long }),
    }).then((response) => response.arrayBuffer());
  }
});
for (const endMs = performance.now() + 6000; performance.now() < endMs; ) {
  const startedMs = performance.now();
  await fetch(new URL('/health/live', address)).then((response) => response.arrayBuffer());
  live.push(performance.now() - startedMs);
}
isOver = true;
await Promise.all(senders);
const p99 = live.toSorted((a, b) => a - b)[Math.floor(live.length * 0.99)] ?? Number.NaN;
process.stdout.write(`/health/live while 4 clients send texts of 100 kB: p99 ${p99.toFixed(1)} ms (bar 10)\n`);

await tokenizers.close();
await server.stop();
rmSync(folder, { recursive: true });
