/**
 * A 4-megapixel JPEG, decoded and resized so that its shorter side has 256 pixels: by the picture workers, exactly and
 * nearly, and by Pillow, in alternating rounds.
 *
 *     node bench/pictures.ts <photo> [--python <one with pillow>] [--rounds 21]
 */
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline/promises';
import { parseArgs } from 'node:util';
import sharp from 'sharp';
import { decodePicture } from '../src/pictures/decode-picture.ts';
import { PictureReader } from '../src/pictures/picture-reader.ts';
import { PicturePlan } from '../src/pictures/plan/picture-plan.ts';
import { PictureWorkers } from '../src/pictures/workers/picture-workers.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { python: { type: 'string', default: 'python3' }, rounds: { type: 'string', default: '21' } },
});
const [photo] = positionals;
if (photo === undefined) throw new Error('Usage: node bench/pictures.ts <photo> [--python <python>] [--rounds <n>]');
const size = { width: 2309, height: 1732 };
const bytes = await sharp(readFileSync(photo))
  .resize({ ...size, fit: 'fill' })
  .jpeg({ quality: 90 })
  .toBuffer();

/** Answers each line, the name of a filter, with the milliseconds of decoding and of both steps. */
const program = `
import io, sys, time
from PIL import Image
data = sys.stdin.buffer.read(int(sys.argv[1]))
for line in sys.stdin.buffer:
    start = time.perf_counter()
    image = Image.open(io.BytesIO(data)).convert("RGB")
    middle = time.perf_counter()
    image.resize((341, 256), getattr(Image.Resampling, line.decode().strip().upper()))
    end = time.perf_counter()
    print((middle - start) * 1e3, (end - start) * 1e3, flush=True)
`;
const pillow = spawn(values.python, ['-c', program, String(bytes.length)], { stdio: ['pipe', 'pipe', 'inherit'] });
const answers = createInterface(pillow.stdout)[Symbol.asyncIterator]();
pillow.stdin.write(bytes);

async function byPillow(filter: string): Promise<{ decodeMs: number; totalMs: number }> {
  pillow.stdin.write(`${filter}\n`);
  const { value } = await answers.next();
  const [decodeMs = Number.NaN, totalMs = Number.NaN] = String(value).split(' ').map(Number);
  return { decodeMs, totalMs };
}

const reader = new PictureReader();
await using workers = new PictureWorkers({ threads: 1 });
const turn = { owner: {} };

async function byWorkers(filter: string, exact: boolean): Promise<{ decodeMs: number; totalMs: number }> {
  const plan = PicturePlan.parse({ resize: { shortest: 256, filter }, exact });
  const start = performance.now();
  const decoded = await decodePicture(reader, bytes, plan, turn);
  const decodeMs = performance.now() - start;
  await workers.prepare({ ...decoded, plan, datatype: 'UINT8' }, turn);
  return { decodeMs, totalMs: performance.now() - start };
}

const median = (numbers: readonly number[]) => numbers.toSorted((a, b) => a - b)[numbers.length >> 1] ?? Number.NaN;
const write = (line: string) => process.stdout.write(`${line}\n`);

for (const filter of ['bilinear', 'bicubic', 'lanczos']) {
  const contestants = {
    Pillow: () => byPillow(filter),
    exact: () => byWorkers(filter, true),
    near: () => byWorkers(filter, false),
  };
  const times = new Map(Object.keys(contestants).map((name) => [name, { decode: [0], total: [0], ratios: [0] }]));
  for (const each of times.values()) for (const list of Object.values(each)) list.pop();
  for (let round = -2; round < Number(values.rounds); round++) {
    let pillowMs = Number.NaN;
    for (const [name, run] of Object.entries(contestants)) {
      const { decodeMs, totalMs } = await run();
      if (name === 'Pillow') pillowMs = totalMs;
      if (round < 0) continue;
      const lists = times.get(name);
      lists?.decode.push(decodeMs);
      lists?.total.push(totalMs);
      lists?.ratios.push(totalMs / pillowMs);
    }
  }
  for (const [name, { decode, total, ratios }] of times) {
    const sorted = ratios.toSorted((a, b) => a - b);
    const spread = `${sorted[0]?.toFixed(2)} to ${sorted.at(-1)?.toFixed(2)}`;
    write(
      `${filter.padEnd(9)} ${name.padEnd(7)} ${median(total).toFixed(1).padStart(6)} ms (decoding ${median(decode).toFixed(1)}), ÷ Pillow ${median(ratios).toFixed(2)} (${spread})`,
    );
  }
}
pillow.stdin.end();
