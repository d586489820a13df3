import { InferenceSession, Tensor } from 'onnxruntime-node';
import { z } from 'zod';
import { quantile } from '../report/statistics.ts';

/** Process of the bare onnxruntime-node contestant: runs a session as often as it can, and prints how often. */
const request = z
  .object({
    modelFile: z.string(),
    inputName: z.string(),
    shape: z.array(z.int()),
    rows: z.int(),
    seconds: z.number(),
    warmupSeconds: z.number(),
    threads: z.int().optional(),
  })
  .parse(JSON.parse(process.argv[2] ?? ''));

const session = await InferenceSession.create(request.modelFile, {
  ...(request.threads !== undefined && { intraOpNumThreads: request.threads }),
});
const size = request.shape.reduce((product, dimension) => product * dimension, 1);
const inputs = Array.from(
  { length: request.rows },
  () => new Tensor('float32', Float32Array.from({ length: size }, Math.random), request.shape),
);

async function loop(seconds: number): Promise<number[]> {
  const durationsMs: number[] = [];
  const endMs = performance.now() + seconds * 1000;
  while (performance.now() < endMs) {
    for (const input of inputs) {
      const startMs = performance.now();
      await session.run({ [request.inputName]: input });
      durationsMs.push(performance.now() - startMs);
    }
  }
  return durationsMs;
}

await loop(request.warmupSeconds);
const startMs = performance.now();
const durationsMs = await loop(request.seconds);
const seconds = (performance.now() - startMs) / 1000;
const result = {
  runsPerSecond: durationsMs.length / seconds,
  p50Ms: quantile(durationsMs, 0.5),
  p99Ms: quantile(durationsMs, 0.99),
};
process.stdout.write(JSON.stringify(result));
