import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { type DecodedPicture, decodePicture } from '../../src/pictures/decode-picture.ts';
import { defaultPictureLimits } from '../../src/pictures/picture-limits.ts';
import type { PictureDatatype } from '../../src/pictures/picture-tensor.ts';
import { framePicture } from '../../src/pictures/plan/picture-frame.ts';
import { PicturePlan } from '../../src/pictures/plan/picture-plan.ts';
import { preparePicture } from '../../src/pictures/prepare-picture.ts';
import { readPicture } from '../../src/pictures/read-picture.ts';
import { Resampler } from '../../src/pictures/resample/resampler.ts';
import { loadSharp } from '../../src/pictures/sharp.ts';

const folder = join(import.meta.dirname, 'fixtures');
const pixels = z.object({ width: z.int(), height: z.int(), first: z.array(z.int()), digest: z.string() });
/** Made by Pillow and OpenCV: fixtures/make_fixtures.py. */
const expected = z
  .object({
    resized: z.array(pixels.extend({ file: z.string(), plan: PicturePlan })),
    kinds: z.record(z.string(), pixels),
    tensors: z.object({ FP32: z.string(), FP16: z.string(), divided: z.string() }),
  })
  .parse(JSON.parse(readFileSync(join(folder, 'expected.json'), 'utf8')));

const open = await loadSharp();
const resampler = new Resampler();

function decode(bytes: Uint8Array, plan: PicturePlan): Promise<DecodedPicture> {
  return decodePicture(readPicture.bind(null, open), bytes, plan, defaultPictureLimits);
}

async function prepare(file: string, plan: PicturePlan, datatype: PictureDatatype = 'UINT8') {
  const bytes = readFileSync(join(folder, file));
  const { raster, frame } = await decode(bytes, plan);
  const elements = preparePicture({ raster, frame, plan, datatype }, resampler);
  return { elements, canvas: frame.canvas };
}

/** The pixels as the fixtures have them. */
async function pixelsOf(file: string, plan: PicturePlan): Promise<z.output<typeof pixels>> {
  const { elements, canvas } = await prepare(file, { ...plan, layout: 'NHWC' });
  return { ...canvas, first: [...elements.subarray(0, 3)], digest: digest(elements) };
}

function digest(elements: Uint8Array | Uint16Array | Float32Array): string {
  const { buffer, byteOffset, byteLength } = elements;
  return createHash('sha256')
    .update(new Uint8Array(buffer, byteOffset, byteLength))
    .digest('hex')
    .slice(0, 16);
}

const plain = PicturePlan.parse({});

describe('the pixels of a decoded picture are those of convert("RGB") in Pillow', () => {
  it.each(Object.entries(expected.kinds))('%s', async (file, wanted) => {
    expect(await pixelsOf(file, plain)).toEqual(wanted);
  });

  it('lays a transparent picture on a colour, when that is asked for', async () => {
    const { elements } = await prepare('kind-rgba.png', { ...plain, layout: 'NHWC', alpha: '#ff0080' });
    expect([...elements.subarray(0, 3)]).toEqual([255, 0, 128]);
  });
});

describe('colours of a profile', () => {
  it('are ignored as Pillow does, or converted when that is asked for', async () => {
    const green = sharp({ create: { width: 4, height: 4, channels: 3, background: '#20c040' } });
    const bytes = await green.withIccProfile('p3').png().toBuffer();
    const level = async (icc: PicturePlan['icc']) => {
      const { raster } = await decode(bytes, { ...plain, icc });
      return [...raster.data.subarray(0, 3)];
    };
    const stored = await sharp(bytes, { ignoreIcc: true }).raw().toBuffer();
    expect(await level('ignore')).toEqual([...stored.subarray(0, 3)]);
    const [red = 0, green2 = 0, blue = 0] = await level('convert');
    expect([Math.abs(red - 0x20), Math.abs(green2 - 0xc0), Math.abs(blue - 0x40)].every((off) => off < 6)).toBe(true);
    expect(await level('convert')).not.toEqual(await level('ignore'));
  });
});

describe('the pixels of a resized picture are those of Pillow and OpenCV', () => {
  it.each(
    expected.resized.map(({ file, plan, ...wanted }) => [file, JSON.stringify(shown(plan)), plan, wanted] as const),
  )('%s %s', async (file, _, plan, wanted) => {
    expect(await pixelsOf(file, plan)).toEqual(wanted);
  });

  it('are cut out of a picture that would be too large to hold, also when they need not be exact', async () => {
    const bytes = await sharp({ create: { width: 1, height: 5000, channels: 3, background: '#804020' } })
      .png()
      .toBuffer();
    const plan = PicturePlan.parse({ resize: { shortest: 256 }, crop: [224, 224], exact: false, layout: 'NHWC' });
    const { raster, frame } = await decode(bytes, plan);
    const elements = preparePicture({ raster, frame, plan, datatype: 'UINT8' }, resampler);
    expect(elements).toHaveLength(224 * 224 * 3);
    expect([...elements.subarray(-3)]).toEqual([0x80, 0x40, 0x20]);
  });

  it.each(['nearest', 'bilinear', 'lanczos'] as const)(
    'are cut out of the longest picture by %s in no time',
    (filter) => {
      const size = { width: 1, height: 50_000_000 };
      const plan = PicturePlan.parse({ resize: { shortest: 256, filter }, crop: [224, 224], layout: 'NHWC' });
      const data = new Uint8Array(3 * size.height);
      data.fill(200, (3 * size.height) / 2 - 9, (3 * size.height) / 2 + 9);
      const frame = framePicture(plan, size);
      const raster = { ...size, channels: 3 as const, data };
      const elements = preparePicture({ raster, frame, plan, datatype: 'UINT8' }, resampler);
      expect([elements[0], elements.at(-1)]).toEqual([200, 200]);
    },
  );

  it('are near them when they need not be exact', async () => {
    const plan = PicturePlan.parse({ resize: { shortest: 40, filter: 'bilinear' }, crop: [32, 32], layout: 'NHWC' });
    const exact = await prepare('wide.png', plan);
    const near = await prepare('wide.png', { ...plan, exact: false });
    const differences = Array.from(exact.elements, (level, at) => Math.abs(level - (near.elements[at] ?? 0)));
    expect(near.elements).toHaveLength(exact.elements.length);
    expect(Math.max(...differences)).toBeLessThan(8);
    expect(Math.max(...differences)).toBeGreaterThan(0);
  });
});

/** The keys that tell one case from another. */
function shown({ resize, crop }: PicturePlan): object {
  return { ...resize, crop };
}

describe('the tensor of a picture', () => {
  const imagenet = PicturePlan.parse({
    scale: 1 / 255,
    mean: [0.485, 0.456, 0.406],
    std: [0.229, 0.224, 0.225],
  });

  it('is rounded as numpy rounds, in FP32 and in FP16', async () => {
    expect(digest((await prepare('odd.png', imagenet, 'FP32')).elements)).toBe(expected.tensors.FP32);
    expect(digest((await prepare('odd.png', imagenet, 'FP16')).elements)).toBe(expected.tensors.FP16);
  });

  it('is the same for a factor of 1/255 as for a division by 255', async () => {
    const { elements } = await prepare('odd.png', { ...plain, scale: 0.00392156862745098 }, 'FP32');
    expect(digest(elements)).toBe(expected.tensors.divided);
  });

  it('has its channels where layout and colour say', async () => {
    const planes = (await prepare('odd.png', plain)).elements;
    const size = planes.length / 3;
    const [red, green, blue] = [0, 1, 2].map((channel) => planes[channel * size + 7]);
    const at7 = async (layout: PicturePlan['layout'], color: PicturePlan['color']) => {
      const { elements } = await prepare('odd.png', { ...plain, layout, color });
      return layout === 'NHWC' ? [...elements.subarray(21, 24)] : [0, 1, 2].map((place) => elements[place * size + 7]);
    };
    expect(await at7('NHWC', 'RGB')).toEqual([red, green, blue]);
    expect(await at7('NHWC', 'BGR')).toEqual([blue, green, red]);
    expect(await at7('NCHW', 'BGR')).toEqual([blue, green, red]);
  });

  it('is filled before normalising beside a crop, and with zeros where it is padded', async () => {
    const plan = PicturePlan.parse({
      scale: 1 / 255,
      mean: [0.5, 0.5, 0.5],
      std: [0.5, 0.5, 0.5],
      crop: [16, 26],
      pad: [18, 30],
    });
    const { elements, canvas } = await prepare('kind-rgb.jpg', plan, 'FP32');
    expect(canvas).toEqual({ height: 18, width: 30 });
    const row = elements.subarray(0, 30);
    expect([row[0], row[25]]).toEqual([-1, -1]);
    expect([...row.subarray(26)]).toEqual([0, 0, 0, 0]);
    expect([...elements.subarray(16 * 30, 18 * 30)]).toEqual(new Array(60).fill(0));
  });
});
