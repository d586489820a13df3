import type { Signature, Tensor, TensorSpec } from '../../tensor/tensor.ts';
import type { RunOutcome, RunRequest } from '../batcher/executor.ts';
import type { Row } from './sample-rows.ts';

/** What can run a trial: a runner process. */
export interface RunsRequests {
  run(request: RunRequest): Promise<RunOutcome>;
}

export type TrialOutcome =
  | { readonly outputs: readonly Tensor[]; readonly runMs: number }
  | { readonly refused: string };

/** A runner did not survive inputs that were made up from the signature. */
export class TrialDied extends Error {}

/** Runs the requests of a load for every output of a model, and keeps the shapes that the outputs had. */
export class TrialRunner implements RunsRequests {
  readonly #runner: RunsRequests & { kill(reason: string): void };
  readonly #signature: Signature;
  /** By output. */
  readonly #seenShapes: (readonly number[])[][];

  constructor(runner: RunsRequests & { kill(reason: string): void }, signature: Signature) {
    this.#runner = runner;
    this.#signature = signature;
    this.#seenShapes = signature.outputs.map(() => []);
  }

  /** Runs a request for every output. */
  async run(request: RunRequest): Promise<RunOutcome> {
    const outcome = await this.#runner.run(request);
    if (outcome.kind !== 'done') return outcome;
    for (const [index, { shape }] of outcome.outputs.entries()) this.#seenShapes[index]?.push(shape);
    return outcome;
  }

  /**
   * Runs all rows in one run.
   *
   * @throws TrialDied when the runner does not survive it
   */
  async runRows(rows: readonly Row[]): Promise<TrialOutcome> {
    const outcome = await this.run(joinedRun(this.#signature, rows));
    if (outcome.kind === 'done') return { outputs: outcome.outputs, runMs: outcome.runMs };
    if (outcome.kind === 'refused') return { refused: outcome.message };
    throw new TrialDied(outcome.kind === 'died' ? outcome.reason : 'the runner ended');
  }

  /** Ends the runner at once. */
  kill(reason: string): void {
    this.#runner.kill(reason);
  }

  /** The signature, with outputs as the runs have shown them where they contradict the file. */
  correctedSignature(): Signature {
    const outputs = this.#signature.outputs.map((output, index) => corrected(output, this.#seenShapes[index] ?? []));
    return { inputs: this.#signature.inputs, outputs };
  }
}

/** A dimension that the file fixes and a run contradicts is free; where the ranks differ, every dimension is. */
function corrected(output: TensorSpec, seen: readonly (readonly number[])[]): TensorSpec {
  const { name, datatype, shape } = output;
  const otherRank = seen.find((one) => one.length !== shape.length);
  if (otherRank !== undefined) return { name, datatype, shape: otherRank.map(() => -1) };
  const isRight = shape.map((dimension, axis) => dimension === -1 || seen.every((one) => one[axis] === dimension));
  if (!isRight.includes(false)) return output;
  const freed = <T>(dimensions: readonly T[]) => dimensions.map((one, axis) => (isRight[axis] ? one : -1));
  return {
    name,
    datatype,
    shape: freed(shape),
    ...(output.dimensions !== undefined && { dimensions: freed(output.dimensions) }),
  };
}

function joinedRun(signature: Signature, rows: readonly Row[]): RunRequest {
  const inputs = signature.inputs.map(({ datatype }, index) => {
    const parts = rows.flatMap((row) => row[index] ?? []);
    const [, ...rest] = parts[0]?.shape ?? [];
    return { datatype, shape: [rows.length, ...rest], parts };
  });
  return {
    inputs,
    outputs: signature.outputs.map((_, index) => index),
    rows: rows.length,
    requests: 0,
    latestDeadlineMs: Number.POSITIVE_INFINITY,
    expectedMs: 0,
  };
}
