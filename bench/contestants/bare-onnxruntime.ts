import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { z } from 'zod';
import type { Workload } from '../workloads.ts';

const script = fileURLToPath(new URL('bare-onnxruntime-loop.ts', import.meta.url));

const loopResult = z.object({ runsPerSecond: z.number(), p50Ms: z.number(), p99Ms: z.number() });
export type LoopResult = z.output<typeof loopResult>;

/**
 * Runs a model one row at a time in a process that does nothing else: no HTTP, no JSON, no second process.
 *
 * @param threads of ONNX Runtime; undefined: its own default, one for each core
 */
export async function bareOnnxruntime(
  workload: Workload,
  modelFile: string,
  { seconds, warmupSeconds, threads }: { seconds: number; warmupSeconds: number; threads?: number },
): Promise<LoopResult> {
  const request = {
    modelFile,
    inputName: workload.inputName,
    shape: [1, ...workload.rowShape],
    rows: workload.rows.length,
    seconds,
    warmupSeconds,
    ...(threads !== undefined && { threads }),
  };
  const { stdout } = await promisify(execFile)(process.execPath, [script, JSON.stringify(request)]);
  return loopResult.parse(JSON.parse(stdout));
}
