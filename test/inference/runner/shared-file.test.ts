import { expect, onTestFinished, test } from 'vitest';
import { SharedFile } from '../../../src/inference/runner/frames/shared-file.ts';

test('gives whole words back where fewer bytes were written last', () => {
  const file = SharedFile.create(`inferd-test-${process.pid}`);
  if (file === undefined) throw new Error('this system has no file system in memory');
  onTestFinished(() => file.close());
  for (const run of [0, 1]) {
    const piece = { at: 0, bytes: 5, buffers: [Uint8Array.of(1, 2, 3, 4, 5)] };
    expect([file.writeToRunner(run, [piece]), file.writeFromRunner(run, [piece])]).toEqual([true, true]);
    const [there, back] = [Buffer.alloc(8), Buffer.alloc(8)];
    file.readInRunner(run, there);
    file.readFromRunner(run, back);
    expect([there, back].map((bytes) => [...bytes])).toEqual([
      [1, 2, 3, 4, 5, 0, 0, 0],
      [1, 2, 3, 4, 5, 0, 0, 0],
    ]);
  }
});
