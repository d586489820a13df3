import { type AppError, toAppError } from '../errors.ts';
import { type CacheReport, combineCacheReports } from '../inference/cache/cache-report.ts';
import type { PredictContext } from '../inference/predictor.ts';
import { type Timings, timingsInParallel, timingsInSequence } from '../inference/timings.ts';
import type { Lease } from '../models/registry/lease.ts';
import type { Signature, Tensors } from '../tensor/tensor.ts';
import type { Clock } from '../timing/clock.ts';
import { type EncodeContext, encodeContext } from './encode-context.ts';
import { combineErrors, isOfInstance } from './instance-errors.ts';
import type { KeptInputs } from './traffic/kept-inputs.ts';

/** How each instance of a request becomes tensors by itself. */
export interface SeparateInstances<Model> {
  readonly count: number;
  /** Whether instances share a run only where rows are known to be independent. @default they do where they can */
  readonly unlessIndependent?: boolean;
  /** @throws AppError with faults whose locations begin with 0, for the one instance */
  encode(index: number, model: Model, context: EncodeContext): Tensors | Promise<Tensors>;
}

export interface SeparateRuns {
  /** The outputs of each instance, in order. */
  readonly runs: readonly Tensors[];
  /** Those of the first instance. */
  readonly inputs: Tensors;
  /** Those of the first instance. */
  readonly outputs: Tensors;
  readonly encodeMs: number;
  readonly timings: Timings;
  readonly cache?: CacheReport | undefined;
}

/** With what instances run. */
export interface RunDependencies<Model> {
  readonly served: Model;
  readonly lease: Lease;
  /** All that is the same for every run. */
  readonly context: PredictContext;
  readonly clock: Clock;
  /** Is given the inputs of every run. @default they are forgotten */
  readonly kept?: KeptInputs | undefined;
}

/** So many instances are under way for each runner: while one runs, the next is made. */
const underWayPerRunner = 2;

/** Whether an input is declared to have one row, so that several instances can never share a run. */
export function takesOneAtATime({ inputs }: Signature): boolean {
  return inputs.some(({ shape }) => shape[0] === 1);
}

/** Whether the instances of a request run each by itself. */
export function runsSeparately(
  { unlessIndependent = false }: Pick<SeparateInstances<unknown>, 'unlessIndependent'>,
  { signature, independentRows }: { readonly signature: Signature; readonly independentRows: boolean },
): boolean {
  return takesOneAtATime(signature) || (unlessIndependent && !independentRows);
}

/**
 * Runs instances each by itself, as many at a time as the model's runners can use.
 *
 * @throws AppError with the faults of every instance that is at fault; else the first error
 */
export async function runSeparately<Model>(
  instances: SeparateInstances<Model>,
  { served, lease, context, clock, kept }: RunDependencies<Model>,
): Promise<SeparateRuns> {
  const runs: Tensors[] = [];
  const errors: (AppError | undefined)[] = new Array<AppError | undefined>(instances.count).fill(undefined);
  const timings: Timings[] = [];
  const caches: (CacheReport | undefined)[] = [];
  const wanted = encodeContext(context, clock);
  let inputs: Tensors = {};
  let encodeMs = 0;
  let next = 0;
  const work = async () => {
    const own: Timings[] = [];
    for (let index = next; index < instances.count; index = next) {
      next += 1;
      try {
        const startedMs = clock.now();
        const encoded = await instances.encode(index, served, wanted);
        encodeMs += clock.now() - startedMs;
        if (index === 0) inputs = encoded;
        kept?.add(index, encoded);
        const prediction = await lease.predictor.predict(encoded, context);
        runs[index] = prediction.outputs;
        own.push(prediction.timings);
        caches.push(prediction.cache);
      } catch (thrown) {
        const error = toAppError(thrown);
        errors[index] = error;
        // What is the matter with one instance says nothing of the others; all else would happen to them too.
        if (!isOfInstance(error)) next = instances.count;
      }
    }
    timings.push(timingsInSequence(own));
  };
  const workers = Math.min(instances.count, underWayPerRunner * (lease.engine?.stats().runners.length ?? 1));
  await Promise.all(Array.from({ length: workers }, work));
  const error = combineErrors(errors);
  if (error !== undefined) throw error;
  return {
    runs,
    inputs,
    outputs: runs[0] ?? {},
    encodeMs,
    timings: timingsInParallel(timings),
    cache: combineCacheReports(caches),
  };
}
