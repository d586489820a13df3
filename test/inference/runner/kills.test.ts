import { readdirSync } from 'node:fs';
import { expect, test } from 'vitest';
import { RunnerProcess } from '../../../src/inference/runner/runner-process.ts';
import { systemClock } from '../../../src/timing/clock.ts';
import { fixturePath, recordingLog } from '../models.ts';

const openFiles = () => readdirSync('/proc/self/fd').length;

async function killOne(isLoading: boolean): Promise<void> {
  const runner = new RunnerProcess({ model: 'copy', clock: systemClock, log: recordingLog() });
  const loaded = isLoading
    ? runner.load({ path: fixturePath('copy'), readIntoMemory: [], session: {} }).catch(() => undefined)
    : undefined;
  runner.kill('the test');
  await loaded;
  await runner.exited;
}

test.runIf(process.platform === 'linux')(
  'runners that are killed leave no file open',
  async () => {
    await killOne(true);
    const before = openFiles();
    for (let count = 0; count < 40; count += 4) {
      await Promise.all(Array.from({ length: 4 }, (_, index) => killOne(index % 2 === 0)));
    }
    await expect.poll(openFiles).toBeLessThanOrEqual(before);
  },
  60_000,
);
