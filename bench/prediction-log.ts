// What the prediction log costs the main process, in processor time: for a prediction that is not kept, for one that is
// taken hold of, and for writing it to the database afterwards.
//
//   node bench/prediction-log.ts                                            # embedded database
//   DATABASE_URL=postgres://postgres@127.0.0.1/postgres node bench/prediction-log.ts

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { iris } from '../src/domains/iris/iris.ts';
import { typedRequest } from '../src/domains/typed-request.ts';
import { defaultManifest } from '../src/models/manifest.ts';
import { PredictionLog } from '../src/predictions/prediction-log.ts';
import type { Inference, InferRequest } from '../src/serving/infer.ts';
import { Storage } from '../src/storage/storage.ts';
import { float32, int64 } from '../src/tensor/tensor.ts';
import { systemClock } from '../src/timing/clock.ts';
import { median } from './report/statistics.ts';

const rounds = 10;
const rows = 5000;
const dataDir = mkdtempSync(path.join(tmpdir(), 'inferd-bench-'));
const log = {
  info: () => {},
  warn: (details: object, message: string) => void process.stderr.write(`${message} ${JSON.stringify(details)}\n`),
};
const storage = new Storage({ databaseUrl: process.env['DATABASE_URL'], dataDir }, { clock: systemClock, log });

const inference: Inference = {
  model: {
    name: 'iris',
    version: '1',
    manifest: defaultManifest(),
    signature: { inputs: [], outputs: [] },
    independentRows: true,
  },
  inputs: { features: float32([1, 4], [5.1, 3.5, 1.4, 0.2]) },
  outputs: { label: int64([1], [0]), probabilities: float32([1, 3], [0.97, 0.02, 0.01]) },
  timings: { queueMs: 0.1, batchMs: 0.2, inferMs: 0.3, batchRows: 8 },
  encodeMs: 0.01,
  totalMs: 0.7,
};

const answer = [{ species: 'virginica', probabilities: { setosa: 0.01, versicolor: 0.19, virginica: 0.8 } }];

function request(): InferRequest {
  const flower = { sepal_length: 5.1, sepal_width: 3.5, petal_length: 1.4, petal_width: 0.2 };
  const { signal } = new AbortController();
  return { model: 'iris', requestId: crypto.randomUUID(), signal, typed: typedRequest(iris, [flower]) };
}

function openLog(maxPerSecond: number): PredictionLog {
  const bounds = { redact: [], maxInstanceBytes: 65_536, keepDays: 30, maxBytes: 2 ** 40 };
  return new PredictionLog({ share: 1, maxPerSecond, ...bounds }, { storage, clock: systemClock, log });
}

/** Time of this process on a processor, in microseconds. */
function processorTimeUs(): number {
  const { user, system } = process.cpuUsage();
  return user + system;
}

function notKeptUs(): number {
  const { recorder } = openLog(1);
  const one = request();
  const calls = 1_000_000;
  const beforeUs = processorTimeUs();
  for (let call = 0; call < calls; call += 1) recorder.recordAnswer(one, inference, answer);
  return (processorTimeUs() - beforeUs) / calls;
}

try {
  storage.start();
  await storage.whenReady();
  const taken: number[] = [];
  const written: number[] = [];
  const predictions = openLog(1e6);
  for (let round = 0; round < rounds; round += 1) {
    const requests = Array.from({ length: rows }, request);
    const beforeUs = processorTimeUs();
    for (const one of requests) predictions.recorder.recordAnswer(one, inference, answer);
    const takenUs = processorTimeUs();
    await predictions.flush();
    taken.push((takenUs - beforeUs) / rows);
    written.push((processorTimeUs() - takenUs) / rows);
  }
  const figures = { 'not kept': notKeptUs(), 'taken hold of': median(taken), written: median(written) };
  for (const [what, us] of Object.entries(figures)) process.stdout.write(`${what.padEnd(14)} ${us.toFixed(2)} µs\n`);
} finally {
  await storage.close();
  rmSync(dataDir, { recursive: true, force: true });
}
