/** A main process of its own, to be killed: it loads a model, writes the runner's pid and, if told so, lets it hang. */

import { loadModel } from '../../src/inference/model.ts';
import { int64 } from '../../src/tensor/tensor.ts';
import { systemClock } from '../../src/timing/clock.ts';

const silent = { info: () => {}, warn: () => {}, error: () => {} };
const model = await loadModel(
  {
    name: 'hangs',
    version: '1',
    path: new URL('../fixtures/models/hangs.onnx', import.meta.url).pathname,
    instances: 1,
    session: {},
    timeoutMs: 600_000,
    loadTimeoutMs: 20_000,
    batching: { enabled: true, maxSize: 1, maxRequestRows: 1, maxDelayMs: 0, maxQueueRows: 10, maxQueueBytes: 1_000 },
  },
  { clock: systemClock, log: silent },
);
const writePid = () => process.stdout.write(`${model.stats().runners[0]?.pid}\n`);

if (process.argv[2] === 'hanging') {
  const signal = new AbortController().signal;
  const deadlineMs = systemClock.now() + 600_000;
  void model.predict(
    { turns: int64([1], [1_000_000_000_000]) },
    { requestId: '', signal, deadlineMs, arrivedAt: Date.now() },
  );
  const timer = setInterval(() => {
    if (model.stats().runners[0]?.state !== 'busy') return;
    clearInterval(timer);
    writePid();
  }, 20);
} else {
  writePid();
}
// Stays until it is killed.
setInterval(() => {}, 60_000);
