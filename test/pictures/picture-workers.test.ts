import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { PicturePlan } from '../../src/pictures/plan/picture-plan.ts';
import { PictureThread } from '../../src/pictures/workers/picture-thread.ts';
import { PictureWorkers } from '../../src/pictures/workers/picture-workers.ts';
import { type TemporaryFolder, temporaryFolder } from '../helpers/folder.ts';
import { projectDir } from '../helpers/process.ts';

const plan = PicturePlan.parse({ resize: { height: 8, width: 8 } });
const photo = readFileSync(join(import.meta.dirname, 'fixtures/kind-exif-6.jpg'));
const turn = { owner: {} };

/** A picture of one level. */
function grey(level: number): Promise<Buffer> {
  const background = { r: level, g: level, b: level };
  return sharp({ create: { width: 20, height: 20, channels: 3, background } })
    .png()
    .toBuffer();
}

describe('picture workers', () => {
  it('give the elements of a picture, and where it lies in them', async () => {
    await using workers = new PictureWorkers({ threads: 1 });
    const letterbox = PicturePlan.parse({ resize: { letterbox: [12, 12] } });
    const { elements, frame } = await workers.prepare(photo, letterbox, 'FP16', turn);
    expect(elements).toBeInstanceOf(Uint16Array);
    expect(elements).toHaveLength(3 * 12 * 12);
    // Stored as 24 x 16 pixels, and shown on its side.
    expect(frame).toMatchObject({ shown: { width: 16, height: 24 }, resized: { width: 8, height: 12 } });
  });

  it('leave the bytes with the caller', async () => {
    await using workers = new PictureWorkers({ threads: 1 });
    const bytes = await grey(51);
    const before = Buffer.from(bytes);
    await workers.prepare(bytes, plan, 'UINT8', turn);
    expect(bytes.equals(before)).toBe(true);
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
    const pictures = await Promise.all(levels.map(grey));
    const answers = await Promise.all(pictures.map((bytes) => workers.prepare(bytes, plan, 'UINT8', turn)));
    expect(answers.map(({ elements }) => elements[9])).toEqual(levels);
    expect(started).toBe(2);
  });

  it('do not begin a picture that nobody wants any more', async () => {
    await using workers = new PictureWorkers({ threads: 1 });
    const gone = new AbortController();
    const first = workers.prepare(photo, plan, 'UINT8', turn);
    const unwanted = workers.prepare(photo, plan, 'UINT8', { owner: {}, signal: gone.signal });
    gone.abort(new Error('nobody waits'));
    await expect(unwanted).rejects.toThrow('nobody waits');
    expect((await first).elements).toHaveLength(192);
  });

  it('refuse what they are at, and what waits, when they are disposed of', async () => {
    const workers = new PictureWorkers({ threads: 1 });
    const pictures = [photo, photo].map((bytes) => workers.prepare(bytes, plan, 'UINT8', turn));
    const outcomes = Promise.allSettled(pictures);
    await workers[Symbol.asyncDispose]();
    for (const outcome of await outcomes) {
      expect(outcome).toMatchObject({ status: 'rejected', reason: { code: 'SHUTTING_DOWN' } });
    }
    await expect(workers.prepare(photo, plan, 'UINT8', turn)).rejects.toMatchObject({ code: 'SHUTTING_DOWN' });
  });

  it('refuse pictures with the errors that have codes, and go on', async () => {
    await using workers = new PictureWorkers({ threads: 1 });
    const refusal = (bytes: Uint8Array, more: object = {}) =>
      workers.prepare(bytes, PicturePlan.parse(more), 'UINT8', turn).then(
        () => 'prepared',
        ({ code, kind, expected }) => [code, kind, expected],
      );
    expect(await refusal(Buffer.from('BM not a picture'))).toMatchObject([
      'UNSUPPORTED_MEDIA_TYPE',
      expect.any(String),
      {},
    ]);
    expect(await refusal(photo.subarray(0, 600))).toEqual(['PICTURE_UNREADABLE', 'invalid', 'a complete picture']);
    expect(await refusal(photo, { limits: { maxPixels: 24 * 16 - 1 } })).toEqual([
      'PICTURE_TOO_LARGE',
      'too_large',
      'at most 383 pixels',
    ]);
    expect(await refusal(photo, { resize: { shortest: 16_384 } })).toMatchObject([
      'PICTURE_TOO_LARGE',
      'too_large',
      {},
    ]);
    expect(await refusal(photo)).toBe('prepared');
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
       parentPort.on('message', ({ datatype }) => {
         if (datatype === 'FP16') process.exit(3);
         if (datatype === 'FP32') throw new Error('broken');
         parentPort.postMessage({ kind: 'prepared', picture: { elements: new Uint8Array(1) } });
       });`,
    );
  });

  afterEach(() => folder[Symbol.asyncDispose]());

  it('fails its picture alone', async () => {
    await using workers = new PictureWorkers({ threads: 1, start: () => new PictureThread(dying) });
    const datatypes = ['UINT8', 'FP16', 'UINT8', 'FP32', 'UINT8'] as const;
    const outcomes = await Promise.allSettled(
      datatypes.map((datatype) => workers.prepare(photo, plan, datatype, turn)),
    );
    const seen = outcomes.map((outcome) => (outcome.status === 'fulfilled' ? 'prepared' : outcome.reason.code));
    expect(seen).toEqual(['prepared', 'ENCODER_FAILED', 'prepared', 'ENCODER_FAILED', 'prepared']);
    expect(outcomes[1]).toMatchObject({ reason: { kind: 'overloaded', retryAfterSeconds: 1 } });
  });
});

describe('a process with picture workers', () => {
  it('ends by itself when it has nothing else to do', async () => {
    const program = `
      const { PictureWorkers } = await import('./src/pictures/workers/picture-workers.ts');
      const { PicturePlan } = await import('./src/pictures/plan/picture-plan.ts');
      const { readFileSync } = await import('node:fs');
      const workers = new PictureWorkers({ threads: 2 });
      const bytes = readFileSync('test/pictures/fixtures/kind-rgb.jpg');
      const { elements } = await workers.prepare(bytes, PicturePlan.parse({}), 'UINT8', { owner: {} });
      process.stdout.write(String(elements.length));`;
    const child = spawn(process.execPath, ['--input-type=module', '--eval', program], { cwd: projectDir });
    let output = '';
    child.stdout.on('data', (chunk: Buffer) => {
      output += chunk.toString();
    });
    const [code] = await once(child, 'close');
    expect([code, output]).toEqual([0, String(24 * 16 * 3)]);
  });
});
