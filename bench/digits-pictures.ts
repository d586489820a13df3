/**
 * Accuracy of the digits model on MNIST's t10k when every digit is uploaded as a picture to the HTTP route.
 *
 *     node bench/digits-pictures.ts <folder of the MNIST files> [how many digits]
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import sharp, { type Sharp } from 'sharp';
import { createDigits } from '../src/domains/digits/digits.ts';
import { digitSidePx } from '../src/domains/digits/normalise-digit.ts';
import { createServer } from '../src/index.ts';

const pixels = digitSidePx * digitSidePx;
const batchRows = 64;

const [folder, limit = '10000'] = process.argv.slice(2);
if (folder === undefined) throw new Error('Usage: node bench/digits-pictures.ts <folder of the MNIST files> [digits]');
const images = gunzipSync(readFileSync(join(folder, 't10k-images-idx3-ubyte.gz'))).subarray(16);
const labels = gunzipSync(readFileSync(join(folder, 't10k-labels-idx1-ubyte.gz'))).subarray(8);
const count = Math.min(labels.length, Number(limit));
const environment = {
  HOST: '127.0.0.1',
  PORT: '0',
  LOG_LEVEL: 'silent',
  MODELS_DIR: join(import.meta.dirname, '../models'),
};
const server = await createServer({ domains: [createDigits()], environment });
await server.loaded;

const variants: Record<string, (digit: Sharp, index: number) => Promise<Buffer>> = {
  'PNG 28x28, light on dark, as MNIST': (digit) => digit.png().toBuffer(),
  'PNG 28x28, dark on light': (digit) => digit.negate().png().toBuffer(),
  'PNG 20x20, cut to the ink': (digit) => digit.trim({ background: 'black', threshold: 1 }).png().toBuffer(),
  'PNG 280x280, dark on light, off-centre': async (digit, index) => {
    const drawn = await digit.resize(140, 140, { kernel: 'cubic' }).negate().png().toBuffer();
    const left = (index * 37) % 140;
    const top = (index * 59) % 140;
    const margins = { left, top, right: 140 - left, bottom: 140 - top };
    return sharp(drawn)
      .extend({ ...margins, background: 'white' })
      .png()
      .toBuffer();
  },
  'JPEG 600x600, quality 60, blue on yellow': async (digit) => {
    const ink = await digit.resize(600, 600).toColourspace('b-w').png().toBuffer();
    const drawn = sharp({ create: { width: 600, height: 600, channels: 3, background: '#2040a0' } });
    const strokes = await drawn.joinChannel(ink).png().toBuffer();
    return sharp(strokes).flatten({ background: '#f5e89a' }).jpeg({ quality: 60 }).toBuffer();
  },
  'WebP 56x56, dark strokes on nothing': async (digit) => {
    const ink = await digit.resize(56, 56).toColourspace('b-w').png().toBuffer();
    const drawn = sharp({ create: { width: 56, height: 56, channels: 3, background: '#101010' } });
    return drawn.joinChannel(ink).webp().toBuffer();
  },
  'PNG 280x280, noise and light from one side': async (digit, index) => {
    const drawn = await digit.resize(200, 200).extend({ top: 30, bottom: 50, left: 60, right: 20 }).raw().toBuffer();
    const channels = drawn.length / (280 * 280);
    const photo = Uint8Array.from({ length: 280 * 280 }, (_, pixel) => {
      const light = 130 + ((pixel % 280) + pixel / 280) / 6;
      const noise = ((((pixel + index) * 2654435761) >>> 8) % 25) - 12;
      return light + noise - (drawn[pixel * channels] ?? 0) * 0.4;
    });
    return sharp(photo, { raw: { width: 280, height: 280, channels: 1 } })
      .png()
      .toBuffer();
  },
};

for (const [name, render] of Object.entries(variants)) {
  let right = 0;
  for (let first = 0; first < count; first += batchRows) {
    const rows = Math.min(batchRows, count - first);
    const form = new FormData();
    for (let row = 0; row < rows; row++) {
      const raw = images.subarray((first + row) * pixels, (first + row + 1) * pixels);
      const digit = sharp(raw, { raw: { width: digitSidePx, height: digitSidePx, channels: 1 } });
      form.append('file', new Blob([Uint8Array.from(await render(digit, first + row))]), `${first + row}`);
    }
    const response = await fetch(new URL('/digits/predict/batch', server.address), { method: 'POST', body: form });
    const { predictions } = (await response.json()) as { predictions: { digit: number }[] };
    predictions.forEach(({ digit }, row) => {
      if (digit === labels[first + row]) right++;
    });
  }
  process.stdout.write(`${(right / count).toFixed(4)}  ${name} (${count} digits)\n`);
}
await server.stop();
