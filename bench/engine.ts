/**
 * The engine without HTTP against a bare ONNX Runtime loop in this process, in turns:
 * `node bench/engine.ts [model.onnx] [requests in flight, 64] [most rows of a run, 64]`
 *
 * Every request has one row. "runs" counts runs of the model, "rows" answered requests.
 */
import { fileURLToPath } from 'node:url';
import { InferenceSession, Tensor as OrtTensor } from 'onnxruntime-node';
import { loadModel } from '../src/inference/model.ts';
import { systemClock } from '../src/timing/clock.ts';

const [, , path = fileURLToPath(new URL('../test/fixtures/models/linear.onnx', import.meta.url)), ...counts] =
  process.argv;
const [inFlight = 64, maxSize = 64] = counts.map(Number);
const rounds = 5;
const roundMs = 1_500;
const oneThread = { intraOpNumThreads: 1, extra: { session: { intra_op: { allow_spinning: '0' } } } };

let runs = 0;
const log = { info: () => {}, warn: () => {}, error: () => {} };
const model = await loadModel(
  {
    name: 'bench',
    version: '1',
    path,
    instances: 1,
    batching: {
      enabled: true,
      maxSize,
      maxRequestRows: maxSize,
      maxDelayMs: 0,
      maxQueueRows: 10_000,
      maxQueueBytes: 2 ** 30,
    },
    session: { intraOpThreads: 1 },
    timeoutMs: 60_000,
    loadTimeoutMs: 60_000,
  },
  {
    clock: systemClock,
    log,
    events: {
      onBatch: () => {
        runs += 1;
      },
    },
  },
);
if (model.example === undefined) throw new Error('the model takes no made-up request');
const inputs = model.example;
const signal = new AbortController().signal;
const session = await InferenceSession.create(path, oneThread);
const [input] = session.inputMetadata;
if (input === undefined || !input.isTensor || input.type !== 'float32')
  throw new Error('the model needs a float32 input');
const shape = input.shape.map((dimension) => (typeof dimension === 'number' ? dimension : 1));
const feeds = { [input.name]: new OrtTensor('float32', new Float32Array(shape.reduce((a, b) => a * b, 1)), shape) };

/** Requests a second with so many in flight. */
async function engine(clients: number): Promise<number> {
  let answered = 0;
  const startedMs = performance.now();
  const client = async () => {
    while (performance.now() - startedMs < roundMs) {
      const deadlineMs = performance.now() + 60_000;
      await model.predict(inputs, { requestId: '', signal, deadlineMs, arrivedAt: 0 });
      answered += 1;
    }
  };
  await Promise.all(Array.from({ length: clients }, client));
  return (1_000 * answered) / (performance.now() - startedMs);
}

/** Runs a second of a loop. */
async function bare(): Promise<number> {
  let count = 0;
  const startedMs = performance.now();
  while (performance.now() - startedMs < roundMs) {
    await session.run(feeds);
    count += 1;
  }
  return (1_000 * count) / (performance.now() - startedMs);
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? Number.NaN;
}

const results = {
  bareRuns: [] as number[],
  engineRows: [] as number[],
  engineRuns: [] as number[],
  alone: [] as number[],
};
await bare();
await engine(inFlight);
for (let round = 0; round < rounds; round += 1) {
  results.bareRuns.push(await bare());
  runs = 0;
  results.engineRows.push(await engine(inFlight));
  results.engineRuns.push((1_000 * runs) / roundMs);
  results.alone.push(await engine(1));
}
await model.close();

const bareRuns = median(results.bareRuns);
const alone = median(results.alone);
const report = {
  bareRunsPerSecond: Math.round(bareRuns),
  engineRowsPerSecond: Math.round(median(results.engineRows)),
  engineRunsPerSecond: Math.round(median(results.engineRuns)),
  rowsRatio: Number((median(results.engineRows) / bareRuns).toFixed(3)),
  millisecondsAboveBareWithOneInFlight: Number((1_000 / alone - 1_000 / bareRuns).toFixed(3)),
};
process.stdout.write(`${JSON.stringify(report, null, 2)}\n`);
