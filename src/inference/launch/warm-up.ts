import { AppError } from '../../errors.ts';
import { checkSignature } from '../../tensor/check-signature.ts';
import { commonRows } from '../../tensor/rows.ts';
import { type Signature, type Tensor, type Tensors, zeros } from '../../tensor/tensor.ts';
import type { Log } from '../../timing/log.ts';
import type { RunRequest } from '../batcher/executor.ts';
import { madeUpSources, usualShapes } from '../independence/sample-rows.ts';
import { type RunsRequests, TrialDied } from '../independence/trial-runner.ts';

/** A run of the request for all outputs, `copies` times one behind the other. */
export function warmUpRun(signature: Signature, tensors: Tensors, copies = 1): RunRequest {
  const inputs = signature.inputs.map(({ name, datatype }) => {
    const tensor: Tensor = tensors[name] ?? zeros(datatype, [0]);
    const [rows, ...rest] = tensor.shape;
    const shape = rows === undefined ? [] : [copies * rows, ...rest];
    return { datatype, shape, parts: new Array<Tensor>(copies).fill(tensor) };
  });
  return {
    inputs,
    outputs: signature.outputs.map((_, index) => index),
    rows: copies * Math.max(1, commonRows(Object.values(tensors))),
    // No request is to blame for a crash.
    requests: 0,
    latestDeadlineMs: Number.POSITIVE_INFINITY,
    expectedMs: 0,
  };
}

/**
 * Runs the warm-up requests of the operator, for a first run costs more than the others.
 *
 * @throws AppError `MODEL_LOAD_FAILED` when one does not fit or is refused, or the runner dies
 */
export async function warmUp(runner: RunsRequests, signature: Signature, given: readonly Tensors[]): Promise<void> {
  for (const [index, tensors] of given.entries()) {
    checkGiven(signature, tensors, index);
    const outcome = await runner.run(warmUpRun(signature, tensors));
    if (outcome.kind === 'done') continue;
    if (outcome.kind === 'refused') throw failed(index, outcome.message);
    throw failed(index, outcome.kind === 'died' ? outcome.reason : 'the runner ended');
  }
}

/** Ways to make up values that are tried on a model that refuses zeros of every usual shape. */
const mostSources = 20;

/**
 * Runs a request that is made up from the signature: zeros and empty texts with 1 for every free dimension, and if the
 * model refuses that, with usual sizes, then with other values. All may be refused, for some models take none of them.
 *
 * @returns a request that the model took; undefined when it took none
 * @throws TrialDied when the runner does not survive one
 */
export async function warmUpOnMadeUp(
  runner: RunsRequests,
  signature: Signature,
  log: Log,
): Promise<Tensors | undefined> {
  let refused = '';
  for (const example of madeUpRequests(signature)) {
    const outcome = await runner.run(warmUpRun(signature, example));
    if (outcome.kind === 'done') return example;
    if (outcome.kind !== 'refused') throw new TrialDied(outcome.kind === 'died' ? outcome.reason : 'the runner ended');
    refused = outcome.message;
  }
  log.warn({ reason: refused }, 'the model refused the warm-up requests that were made from its signature');
  return undefined;
}

function* madeUpRequests(signature: Signature): Generator<Tensors> {
  const { inputs } = signature;
  const ones = inputs.map(({ shape }) => shape.map((dimension) => (dimension === -1 ? 1 : dimension)));
  const named = (tensors: readonly Tensor[]) =>
    Object.fromEntries(
      inputs.flatMap(({ name }, index) => (tensors[index] === undefined ? [] : [[name, tensors[index]]])),
    );
  for (const shapes of [ones, ...usualShapes(signature)]) {
    yield named(inputs.map(({ datatype }, index) => zeros(datatype, shapes[index] ?? [])));
  }
  let tried = 0;
  for (const source of madeUpSources(signature)) {
    tried += 1;
    if (tried > mostSources) return;
    yield named(source.row(0));
  }
}

function checkGiven(signature: Signature, tensors: Tensors, index: number): void {
  try {
    checkSignature(signature, tensors);
  } catch (error) {
    throw failed(index, error instanceof Error ? error.message : String(error), error);
  }
}

function failed(index: number, reason: string, cause?: unknown): AppError {
  return new AppError('MODEL_LOAD_FAILED', { message: `Warm-up request ${index + 1} failed: ${reason}`, cause });
}
