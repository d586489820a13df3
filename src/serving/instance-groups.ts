import { AppError, toAppError } from '../errors.ts';
import { combineCacheReports } from '../inference/cache/cache-report.ts';
import { timingsInParallel } from '../inference/timings.ts';
import { sliceRows } from '../tensor/rows.ts';
import type { Tensors } from '../tensor/tensor.ts';
import { type EncodeContext, encodeContext } from './encode-context.ts';
import { combineErrors, isOfInstance } from './instance-errors.ts';
import type { RunDependencies, SeparateRuns } from './separate-instances.ts';

/** Instances that share a run. */
export interface EncodedGroup {
  readonly inputs: Tensors;
  /** Which instances of the request its rows are. */
  readonly instances: readonly number[];
}

/** What became of a group. */
export interface DecodedGroup {
  readonly outputs: Tensors;
  /** What the encoder has called its instances. */
  readonly rows: readonly number[];
}

/** For requests whose encoder says which instances share a run, such as texts of nearly one length. */
export interface GroupedInstances<Model> {
  /** Whether the encoder calls instances what the request calls so, and not their parts. */
  readonly rowsAreInstances: boolean;
  /** @returns at least one group; each instance is in one of them */
  encode(model: Model, context: EncodeContext): Promise<readonly EncodedGroup[]>;
}

export interface GroupedRuns extends SeparateRuns {
  /** Which instances each run is about. */
  readonly groups: readonly (readonly number[])[];
}

/**
 * Encodes all instances at once, and runs their groups side by side.
 *
 * @throws AppError with the faults of every instance that the model refuses; else the first error of a run
 */
export async function runGroups<Model>(
  { encode, rowsAreInstances }: GroupedInstances<Model>,
  { served, lease, context, clock, kept }: RunDependencies<Model>,
): Promise<GroupedRuns> {
  const startedMs = clock.now();
  const groups = await encode(served, encodeContext(context, clock));
  const encodeMs = clock.now() - startedMs;
  for (const [index, { inputs }] of groups.entries()) kept?.add(index, inputs);
  const predict = (inputs: Tensors) => lease.predictor.predict(inputs, context);
  const settled = await Promise.allSettled(groups.map(({ inputs }) => predict(inputs)));
  const predictions = settled.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
  if (predictions.length < groups.length) {
    const failures = settled.map((result) => (result.status === 'rejected' ? toAppError(result.reason) : undefined));
    throw await errorOf(groups, failures, rowsAreInstances ? predict : undefined);
  }
  return {
    runs: predictions.map(({ outputs }) => outputs),
    groups: groups.map(({ instances }) => instances),
    inputs: groups[0]?.inputs ?? {},
    outputs: predictions[0]?.outputs ?? {},
    encodeMs,
    timings: timingsInParallel(predictions.map(({ timings }) => timings)),
    cache: combineCacheReports(predictions.map(({ cache }) => cache)),
  };
}

/** The error of all groups, with the instances that it is about, as far as that is known. */
async function errorOf(
  groups: readonly EncodedGroup[],
  failures: readonly (AppError | undefined)[],
  predict: ((inputs: Tensors) => Promise<unknown>) | undefined,
): Promise<AppError> {
  const first = failures.find((error) => error !== undefined) ?? new AppError('INTERNAL', { message: 'No run failed' });
  const other = failures.find((error) => error !== undefined && !isOfInstance(error));
  if (other !== undefined || predict === undefined) return other ?? first;
  const count = groups.reduce((sum, { instances }) => sum + instances.length, 0);
  const errors = new Array<AppError | undefined>(count).fill(undefined);
  for (const [at, { inputs, instances }] of groups.entries()) {
    const error = failures[at];
    if (error === undefined) continue;
    const refused = await refusedRows(inputs, { count: instances.length, error, predict });
    if (refused.size === 0) return error;
    for (const [row, refusal] of refused) errors[instances[row] ?? 0] = refusal;
  }
  return combineErrors(errors) ?? first;
}

interface RefusedRun {
  /** Rows of the run. */
  readonly count: number;
  readonly error: AppError;
  readonly predict: (inputs: Tensors) => Promise<unknown>;
}

/** Which rows of a run the model refuses: its halves are run apart, and so on. None where that is not to be found out. */
async function refusedRows(
  inputs: Tensors,
  { count, error, predict }: RefusedRun,
  from = 0,
): Promise<Map<number, AppError>> {
  if (count === 1) return new Map([[from, error]]);
  // Whatever else a run fails of, such as the memory of its outputs, is better not tried again.
  if (error.code !== 'MODEL_REFUSED_INPUT') return new Map();
  const middle = Math.ceil(count / 2);
  const found = new Map<number, AppError>();
  for (const [start, end] of [
    [0, middle],
    [middle, count],
  ] as const) {
    const half = Object.fromEntries(
      Object.entries(inputs).map(([name, tensor]) => [name, sliceRows(tensor, start, end)]),
    );
    try {
      await predict(half);
    } catch (thrown) {
      const own = toAppError(thrown);
      if (!isOfInstance(own)) throw own;
      const rows = await refusedRows(half, { count: end - start, error: own, predict }, from + start);
      for (const [row, refusal] of rows) found.set(row, refusal);
    }
  }
  return found;
}
