import type { AppError } from '../../../src/errors.ts';
import { Batcher, type BatcherOptions } from '../../../src/inference/batcher/batcher.ts';
import { levelOf, type Priority } from '../../../src/inference/priority.ts';
import type { Timings } from '../../../src/inference/timings.ts';
import { float32, type Tensor } from '../../../src/tensor/tensor.ts';
import { VirtualClock } from '../../virtual-clock.ts';
import { VirtualRunner, type VirtualRunnerOptions } from './virtual-runner.ts';

interface Sent {
  timings?: Timings;
  outputs?: Tensor[];
  error?: AppError;
  atMs?: number;
}

/** A batcher over virtual runners, with what a test asks of them. */
export function setUp(
  options: Partial<BatcherOptions> = {},
  runner: Partial<VirtualRunnerOptions> = {},
  instances = 1,
) {
  const clock = new VirtualClock();
  const runners = Array.from(
    { length: instances },
    () => new VirtualRunner(clock, { perRowMs: 1, perRunMs: 10, ...runner }),
  );
  let rowsMismatches = 0;
  const onRowsMismatch = () => {
    rowsMismatches += 1;
  };
  const batcher = new Batcher(
    { maxSize: 8, maxDelayMs: 0, maxQueueRows: 1_000, maxQueueBytes: 1_000_000, ...options },
    { clock, executors: runners, defer: (callback) => void clock.setTimer(0, callback), onRowsMismatch },
  );
  for (const one of runners) one.onAccepts = () => batcher.wake();
  const send = (
    value: number,
    request: {
      rows?: number;
      timeoutMs?: number;
      group?: string;
      bytes?: number;
      priority?: Priority;
      signal?: AbortSignal;
    } = {},
  ) => {
    const {
      rows = 1,
      timeoutMs = 10_000,
      group = 'a',
      bytes = 4 * rows,
      priority,
      signal = new AbortController().signal,
    } = request;
    const sent: Sent = {};
    batcher.submit({
      inputs: [float32([rows], new Array(rows).fill(value))],
      outputs: [0],
      group,
      rows,
      bytes,
      level: levelOf(priority),
      deadlineMs: clock.now() + timeoutMs,
      signal,
      resolve: (answer) => Object.assign(sent, { ...answer, atMs: clock.now() }),
      reject: (error) => Object.assign(sent, { error, atMs: clock.now() }),
    });
    return sent;
  };
  const runsOf = () => runners.flatMap(({ runs }) => runs.map(({ values }) => values));
  /** Lets the batcher learn that a run takes 10 ms and 1 ms a row. */
  const learn = async () => {
    for (const rows of [1, 2, 4, 8]) {
      send(0, { rows });
      await clock.advance(100);
    }
    for (const { runs } of runners) runs.length = 0;
  };
  return { clock, runners, batcher, send, runsOf, learn, mismatches: () => rowsMismatches };
}
