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

/** Answers each line, the name of a filter, with the milliseconds of both steps. */
const program = `
import io, sys, time
from PIL import Image
data = sys.stdin.buffer.read(int(sys.argv[1]))
for line in sys.stdin.buffer:
    start = time.perf_counter()
    image = Image.open(io.BytesIO(data)).convert("RGB")
    image.resize((341, 256), getattr(Image.Resampling, line.decode().strip().upper()))
    print((time.perf_counter() - start) * 1e3, flush=True)
`;
const pillow = spawn(values.python, ['-c', program, String(bytes.length)], { stdio: ['pipe', 'pipe', 'inherit'] });
const answers = createInterface(pillow.stdout)[Symbol.asyncIterator]();
pillow.stdin.write(bytes);

async function byPillow(filter: string): Promise<number> {
  pillow.stdin.write(`${filter}\n`);
  return Number((await answers.next()).value);
}

await using workers = new PictureWorkers({ threads: 1 });
const turn = { owner: {} };

async function byWorkers(filter: string, exact: boolean): Promise<number> {
  const plan = PicturePlan.parse({ resize: { shortest: 256, filter }, exact });
  const start = performance.now();
  await workers.prepare(bytes, plan, 'UINT8', turn);
  return performance.now() - start;
}

const median = (numbers: readonly number[]) => numbers.toSorted((a, b) => a - b)[numbers.length >> 1] ?? Number.NaN;
const write = (line: string) => process.stdout.write(`${line}\n`);

for (const filter of ['bilinear', 'bicubic', 'lanczos']) {
  const contestants = {
    Pillow: () => byPillow(filter),
    exact: () => byWorkers(filter, true),
    near: () => byWorkers(filter, false),
  };
  const times = new Map(Object.keys(contestants).map((name) => [name, { ms: [] as number[], ratios: [] as number[] }]));
  for (let round = -2; round < Number(values.rounds); round++) {
    let pillowMs = Number.NaN;
    for (const [name, run] of Object.entries(contestants)) {
      const ms = await run();
      if (name === 'Pillow') pillowMs = ms;
      if (round < 0) continue;
      times.get(name)?.ms.push(ms);
      times.get(name)?.ratios.push(ms / pillowMs);
    }
  }
  for (const [name, { ms, ratios }] of times) {
    const sorted = ratios.toSorted((a, b) => a - b);
    const spread = `${sorted[0]?.toFixed(2)} to ${sorted.at(-1)?.toFixed(2)}`;
    const time = `${median(ms).toFixed(1).padStart(6)} ms`;
    write(`${filter.padEnd(9)} ${name.padEnd(7)} ${time}, ÷ Pillow ${median(ratios).toFixed(2)} (${spread})`);
  }
}
pillow.stdin.end();
