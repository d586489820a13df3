import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { PicturePipeline } from '../../src/pictures/picture-pipeline.ts';
import { PictureReader } from '../../src/pictures/picture-reader.ts';
import { PicturePlan } from '../../src/pictures/plan/picture-plan.ts';
import { preparePicture } from '../../src/pictures/prepare-picture.ts';
import { Resampler } from '../../src/pictures/resample/resampler.ts';
import { PictureWorkers } from '../../src/pictures/workers/picture-workers.ts';

const bytes = readFileSync(join(import.meta.dirname, 'fixtures/kind-exif-6.jpg'));
const plan = PicturePlan.parse({ resize: { letterbox: [12, 12] } });
const turn = { owner: {} };

it('gives the elements of a picture, and where it lies in them', async () => {
  await using workers = new PictureWorkers({ threads: 1 });
  const pipeline = new PicturePipeline({ reader: new PictureReader(), workers, maxHeld: 2 });
  const { elements, frame } = await pipeline.prepare(bytes, plan, 'FP16', turn);
  expect(elements).toBeInstanceOf(Uint16Array);
  expect(elements).toHaveLength(3 * 12 * 12);
  // Stored as 24 x 16 pixels, and shown on its side.
  expect(frame).toMatchObject({ shown: { width: 16, height: 24 }, resized: { width: 8, height: 12 } });
});

it('decodes no more pictures than it may hold, until their elements are there', async () => {
  const reader = new PictureReader(4);
  let read = 0;
  const release: (() => void)[] = [];
  const pipeline = new PicturePipeline({
    reader: {
      read: (...given) => {
        read += 1;
        return reader.read(...given);
      },
    },
    workers: {
      prepare: async (job) => {
        await new Promise<void>((resolve) => release.push(resolve));
        return preparePicture(job, new Resampler());
      },
    },
    maxHeld: 2,
  });
  const pictures = Array.from({ length: 5 }, () => pipeline.prepare(bytes, plan, 'UINT8', turn));
  for (let done = 0; done < 5; done++) {
    await expect.poll(() => release.length).toBeGreaterThan(0);
    expect(read).toBeLessThanOrEqual(done + 2);
    release.shift()?.();
    await pictures[done];
  }
  expect(read).toBe(5);
});

it('refuses what the plan does not allow', async () => {
  const pipeline = new PicturePipeline({
    reader: new PictureReader(),
    workers: { prepare: async (job) => preparePicture(job, new Resampler()) },
    maxHeld: 1,
  });
  const codeOf = (content: Uint8Array, limits: object) =>
    pipeline.prepare(content, PicturePlan.parse({ limits }), 'UINT8', turn).then(
      () => 'prepared',
      ({ code }) => code,
    );
  expect(await codeOf(bytes, {})).toBe('prepared');
  expect(await codeOf(bytes, { maxPixels: 24 * 16 - 1 })).toBe('PICTURE_TOO_LARGE');
  expect(await codeOf(bytes, { maxBytes: bytes.length - 1 })).toBe('PICTURE_TOO_LARGE');
  expect(await codeOf(bytes.subarray(0, 300), {})).toBe('PICTURE_UNREADABLE');
  expect(await codeOf(Buffer.from('BM not a picture'), {})).toBe('UNSUPPORTED_MEDIA_TYPE');
});
