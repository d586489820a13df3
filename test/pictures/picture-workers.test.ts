import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { framePicture } from '../../src/pictures/plan/picture-frame.ts';
import { PicturePlan } from '../../src/pictures/plan/picture-plan.ts';
import { type PictureJob, preparePicture } from '../../src/pictures/prepare-picture.ts';
import { Resampler } from '../../src/pictures/resample/resampler.ts';
import { PictureThread } from '../../src/pictures/workers/picture-thread.ts';
import { PictureWorkers } from '../../src/pictures/workers/picture-workers.ts';
import { type TemporaryFolder, temporaryFolder } from '../helpers/folder.ts';
import { projectDir } from '../helpers/process.ts';

const plan = PicturePlan.parse({ scale: 1 / 255, resize: { height: 8, width: 8 } });

/** A picture of one level. */
function job(level = 255, side = 20): PictureJob {
  const raster = { width: side, height: side, channels: 3 as const, data: new Uint8Array(side * side * 3).fill(level) };
  return { raster, plan, frame: framePicture(plan, raster), datatype: 'FP32' };
}

const turn = { owner: {} };

describe('picture workers', () => {
  it('give what the same work gives on this thread', async () => {
    await using workers = new PictureWorkers({ threads: 2 });
    const expected = preparePicture(job(77), new Resampler());
    expect(await workers.prepare(job(77), turn)).toEqual(expected);
  });

  it('take the pixels by transfer, and copy those of a buffer that holds more', async () => {
    await using workers = new PictureWorkers({ threads: 1 });
    const alone = job(51);
    await workers.prepare(alone, turn);
    expect(alone.raster.data).toHaveLength(0);
    const shared = job(51);
    const data = Buffer.concat([shared.raster.data, Buffer.alloc(10)]).subarray(0, shared.raster.data.length);
    const elements = await workers.prepare({ ...shared, raster: { ...shared.raster, data } }, turn);
    expect(elements[0]).toBe(Math.fround(0.2));
    expect(data).toHaveLength(1200);
  });

  it('answer each of many pictures with its own elements, and start no more threads than they may', async () => {
    let started = 0;
    const start = () => {
      started += 1;
      return new PictureThread();
    };
    await using workers = new PictureWorkers({ threads: 2, start });
    expect(started).toBe(0);
    const levels = Array.from({ length: 20 }, (_, index) => index * 5);
    const answers = await Promise.all(levels.map((level) => workers.prepare(job(level), turn)));
    expect(answers.map((elements) => Math.round((elements[9] ?? 0) * 255))).toEqual(levels);
    expect(started).toBe(2);
  });

  it('do not begin a picture that nobody wants any more', async () => {
    await using workers = new PictureWorkers({ threads: 1 });
    const gone = new AbortController();
    const first = workers.prepare(job(1), turn);
    const unwanted = workers.prepare(job(2), { owner: {}, signal: gone.signal });
    gone.abort(new Error('nobody waits'));
    await expect(unwanted).rejects.toThrow('nobody waits');
    expect(await first).toHaveLength(192);
  });

  it('refuse what they are at, and what waits, when they are disposed of', async () => {
    const workers = new PictureWorkers({ threads: 1 });
    const pictures = [job(), job()].map((picture) => workers.prepare(picture, turn));
    const outcomes = Promise.allSettled(pictures);
    await workers[Symbol.asyncDispose]();
    for (const outcome of await outcomes) {
      expect(outcome).toMatchObject({ status: 'rejected', reason: { code: 'SHUTTING_DOWN' } });
    }
    await expect(workers.prepare(job(), turn)).rejects.toMatchObject({ code: 'SHUTTING_DOWN' });
  });

  it('give an error of the work to its caller, and go on', async () => {
    await using workers = new PictureWorkers({ threads: 1 });
    const impossible = { ...job(), frame: { ...job().frame, canvas: { width: -1, height: 1 } } };
    await expect(workers.prepare(impossible, turn)).rejects.toThrow('length');
    expect(await workers.prepare(job(), turn)).toHaveLength(192);
  });
});

describe('a picture worker that dies', () => {
  let folder: TemporaryFolder;
  let dying: string;

  beforeEach(async () => {
    folder = await temporaryFolder();
    dying = join(folder.path, 'dying.mjs');
    await writeFile(
      dying,
      `import { parentPort } from 'node:worker_threads';
       parentPort.on('message', ({ raster }) => {
         if (raster.data[0] === 1) process.exit(3);
         if (raster.data[0] === 2) throw new Error('broken');
         parentPort.postMessage({ ok: true, elements: new Float32Array([raster.data[0]]) });
       });`,
    );
  });

  afterEach(() => folder[Symbol.asyncDispose]());

  it('fails its picture alone', async () => {
    await using workers = new PictureWorkers({ threads: 1, start: () => new PictureThread(dying) });
    const levels = [7, 1, 8, 2, 9];
    const outcomes = await Promise.allSettled(levels.map((level) => workers.prepare(job(level), turn)));
    const seen = outcomes.map((outcome) => (outcome.status === 'fulfilled' ? outcome.value[0] : outcome.reason.code));
    expect(seen).toEqual([7, 'ENCODER_FAILED', 8, 'ENCODER_FAILED', 9]);
  });
});

describe('a process with picture workers', () => {
  it('ends by itself when it has nothing else to do', async () => {
    const program = `
      const { PictureWorkers } = await import('./src/pictures/workers/picture-workers.ts');
      const { PicturePlan } = await import('./src/pictures/plan/picture-plan.ts');
      const { framePicture } = await import('./src/pictures/plan/picture-frame.ts');
      const raster = { width: 2, height: 2, channels: 3, data: new Uint8Array(12).fill(9) };
      const plan = PicturePlan.parse({});
      const workers = new PictureWorkers({ threads: 2 });
      const job = { raster, plan, frame: framePicture(plan, raster), datatype: 'UINT8' };
      process.stdout.write(String((await workers.prepare(job, { owner: {} }))[11]));`;
    const child = spawn(process.execPath, ['--input-type=module', '--eval', program], { cwd: projectDir });
    let output = '';
    child.stdout.on('data', (chunk: Buffer) => {
      output += chunk.toString();
    });
    const [code] = await once(child, 'close');
    expect([code, output]).toEqual([0, '9']);
  });
});
