/**
 * Runs real models through the engine and compares every answer with that of a bare session: `node run.ts <folder of
 * make_models.py> [pattern of names]`. 32 different requests one after the other and all at once, and requests of 1, 33
 * and 100 rows. What ran alone must be equal bit for bit; what shared a run, within the rounding that the proof allows.
 */
import { join } from 'node:path';
import { disagreement } from '../../src/inference/independence/agreement.ts';
import { loadModel } from '../../src/inference/model.ts';
import type { Predictor } from '../../src/inference/predictor.ts';
import { sliceRows } from '../../src/tensor/rows.ts';
import type { Tensor, Tensors } from '../../src/tensor/tensor.ts';
import { systemClock } from '../../src/timing/clock.ts';
import { Bare } from './bare.ts';
import { type Case, readCases, requestOf } from './cases.ts';

const requestsAtOnce = 32;
const longRequests = [1, 33, 100];
const [folder = '', pattern = ''] = process.argv.slice(2);
let failed = 0;

for (const [name, testCase] of Object.entries(readCases(folder))) {
  if (!new RegExp(pattern).test(name)) continue;
  const faults: string[] = [];
  const [summary, found] = await tryModel(join(folder, `${name}.onnx`), testCase).catch((error: unknown) => [
    '',
    [error instanceof Error ? error.message : String(error)],
  ]);
  faults.push(...found);
  failed += faults.length === 0 ? 0 : 1;
  process.stdout.write(`${faults.length === 0 ? 'ok  ' : 'FAIL'} ${name.padEnd(24)} ${summary}\n`);
  for (const fault of faults) process.stdout.write(`       ${fault}\n`);
}
process.stdout.write(failed === 0 ? 'every answer was right\n' : `${failed} models were answered wrongly\n`);
process.exitCode = failed === 0 ? 0 : 1;

async function tryModel(path: string, testCase: Case): Promise<[string, string[]]> {
  const faults: string[] = [];
  const alone = await open(path, false);
  await alone.model.close();
  const { model, loadMs, batches } = await open(path, 'auto');
  const bare = await Bare.open(path, model.intraOpThreads ?? 1);
  try {
    const { independentRows, why } = model.independence;
    const isRight = testCase.joined === null || testCase.joined === independentRows;
    if (!isRight) faults.push(`rows are ${testCase.joined ? '' : 'not '}independent, it says: ${why}`);
    const isFixed = model.signature.inputs.some(({ shape }) => typeof shape[0] === 'number' && shape[0] === 1);
    const requests = Array.from({ length: requestsAtOnce }, (_, seed) => requestOf(testCase, 1, seed));
    const expected: Tensors[] = [];
    for (const [index, request] of requests.entries()) {
      expected.push(await bare.run(request));
      const answer = await ask(model, request);
      if (!isEqual(answer, expected[index])) faults.push(`request ${index} alone differs from the bare session`);
    }
    batches.length = 0;
    const answers = await Promise.all(requests.map((request) => ask(model, request)));
    for (const [index, answer] of answers.entries()) {
      const clause = compare(answer, expected[index] ?? {}, independentRows);
      if (clause !== undefined) faults.push(`request ${index} of ${requestsAtOnce} at once: ${clause}`);
    }
    const largest = Math.max(...batches);
    for (const rows of isFixed ? [1] : longRequests) {
      const request = requestOf(testCase, rows, 1000 + rows);
      const clause = compare(await ask(model, request), await bare.run(request), independentRows);
      if (clause !== undefined) faults.push(`a request of ${rows} rows: ${clause}`);
    }
    const times = `${Math.round(loadMs)} ms to load, ${Math.round(alone.loadMs)} without proof`;
    const joined = independentRows ? `joined, up to ${largest} requests a run` : 'singly';
    return [`${joined}; ${times}; ${model.intraOpThreads} threads. ${why}`, faults.slice(0, 5)];
  } finally {
    await bare.close();
    await model.close();
  }
}

async function open(path: string, enabled: boolean | 'auto') {
  const batches: number[] = [];
  const startedMs = performance.now();
  const model = await loadModel(
    {
      name: 'model',
      version: '1',
      path,
      instances: 1,
      session: {},
      timeoutMs: 600_000,
      loadTimeoutMs: 120_000,
      batching: {
        enabled,
        maxSize: 32,
        maxRequestRows: 1024,
        maxDelayMs: 0,
        maxQueueRows: 4096,
        maxQueueBytes: 2 ** 30,
      },
    },
    {
      clock: systemClock,
      log: { info: () => {}, warn: () => {}, error: () => {} },
      events: { onBatch: (_model, _version, { requests }) => batches.push(requests) },
    },
  );
  return { model, loadMs: performance.now() - startedMs, batches };
}

async function ask(model: Predictor, inputs: Tensors): Promise<Tensors> {
  const deadlineMs = systemClock.now() + 600_000;
  const { signal } = new AbortController();
  const { outputs } = await model.predict(inputs, { requestId: 'test', signal, deadlineMs, arrivedAt: Date.now() });
  return outputs;
}

/** How an answer differs from the right one, in a clause; within rounding where it may have shared a run. */
function compare(answer: Tensors, expected: Tensors, mayRound: boolean): string | undefined {
  if (!mayRound) return isEqual(answer, expected) ? undefined : 'differs from the bare session';
  for (const [name, tensor] of Object.entries(answer)) {
    const right = expected[name];
    if (right === undefined) return `output ${name} is missing`;
    const rows = tensor.shape[0] ?? 0;
    const singles = Array.from({ length: rows }, (_, row) => [sliceRows(right, row, row + 1)]);
    const clause = disagreement([name], singles, [tensor], [...singles.keys()]);
    if (clause !== undefined) return clause;
  }
  return undefined;
}

function isEqual(answer: Tensors, expected: Tensors | undefined): boolean {
  return Object.entries(answer).every(([name, tensor]) => sameTensor(tensor, expected?.[name]));
}

function sameTensor(a: Tensor, b: Tensor | undefined): boolean {
  if (b === undefined || a.datatype !== b.datatype || a.shape.join() !== b.shape.join()) return false;
  return a.data.length === b.data.length && a.data.every((value, index) => Object.is(value, b.data[index]));
}
