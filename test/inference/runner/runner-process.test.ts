import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { setImmediate } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { RunnerProcess } from '../../../src/inference/runner/runner-process.ts';
import { systemClock } from '../../../src/timing/clock.ts';
import { fixturePath, recordingLog } from '../models.ts';

/** Holds this thread up until the process has ended, and nothing has been told of it here. */
function blockUntilEnded(pid: number | undefined): void {
  const nothing = new Int32Array(new SharedArrayBuffer(4));
  while (readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.startsWith('Z') !== true) {
    Atomics.wait(nothing, 0, 0, 1);
  }
}

test.runIf(process.platform === 'linux')('what a runner said counts, although its end is heard of first', async () => {
  const runner = new RunnerProcess({ model: 'broken', clock: systemClock, log: recordingLog() });
  // The exits of all children are looked for when one has ended, after what came before that look was read. The answer
  // that the runner writes in between is read in the next turn of the loop.
  const other = spawn('echo', ['something']);
  const failed = once(other.stdout, 'data').then(() => undefined);
  let loaded: Promise<unknown> | undefined;
  other.stdout.once('data', () => {
    loaded = runner
      .load({ path: fixturePath('broken'), readIntoMemory: [], session: {} })
      .catch((error: unknown) => error);
    blockUntilEnded(runner.pid);
  });
  await setImmediate();
  blockUntilEnded(other.pid);
  await failed;
  expect(await loaded).toMatchObject({ message: expect.stringContaining('Protobuf parsing failed') });
  expect(await runner.exited).toEqual({ reason: 'it exited with code 0', crashed: false, requests: 0 });
});
