import { AppError } from '../errors.ts';
import { checkSignature, shapeText } from '../tensor/check-signature.ts';
import { commonRows } from '../tensor/rows.ts';
import { type Signature, type Tensor, type Tensors, zeros } from '../tensor/tensor.ts';
import type { RunOutcome, RunRequest } from './batcher/executor.ts';
import type { EngineLog } from './engine-log.ts';

/** What can run a warm-up: a runner process. */
export interface WarmUpRunner {
  run(request: RunRequest): Promise<RunOutcome>;
}

/** A request made from the signature: zeros and empty texts, every free dimension 1. */
export function madeUpRequest({ inputs }: Signature): Tensors {
  const made = inputs.map(({ name, datatype, shape }) => {
    const full = shape.map((dimension) => (dimension === -1 ? 1 : dimension));
    return [name, zeros(datatype, full)] as const;
  });
  return Object.fromEntries(made);
}

/** A run of the request for all outputs, `copies` times in one batch. */
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
export async function warmUp(runner: WarmUpRunner, signature: Signature, given: readonly Tensors[]): Promise<void> {
  for (const [index, tensors] of given.entries()) {
    checkGiven(signature, tensors, index);
    const outcome = await runner.run(warmUpRun(signature, tensors));
    if (outcome.kind === 'done') continue;
    if (outcome.kind === 'refused') throw failed(index, outcome.message);
    throw failed(index, outcome.kind === 'died' ? outcome.reason : 'the runner ended');
  }
}

/**
 * Runs the request that is made up from the signature. It may be refused, for some models cannot run on zeros.
 *
 * @returns why the runner is gone, for some models cannot even survive them; undefined if it is not
 */
export async function warmUpOnZeros(
  runner: WarmUpRunner,
  signature: Signature,
  log: EngineLog,
): Promise<string | undefined> {
  const outcome = await runner.run(warmUpRun(signature, madeUpRequest(signature)));
  if (outcome.kind === 'refused') {
    log.warn({ reason: outcome.message }, 'the model refused the warm-up request that was made from its signature');
  }
  if (outcome.kind === 'not_started') return 'the runner ended';
  return outcome.kind === 'died' ? outcome.reason : undefined;
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

/** Copies of the warm-up request whose rows a batch must give back. */
const probeCopies = 3;

/**
 * Whether the model gives a row for every row that it takes, so that requests can share a run. The signature says what
 * it claims; running the warm-up request once and several times over shows whether that is true.
 */
export async function isBatchable(
  runner: WarmUpRunner,
  signature: Signature,
  tensors: Tensors,
  log: EngineLog,
): Promise<boolean> {
  if (signature.inputs.length === 0 || signature.inputs.some(({ shape }) => shape[0] !== -1)) return false;
  const rows = commonRows(Object.values(tensors));
  if (rows === 0) return false;
  for (const copies of [1, probeCopies]) {
    const outcome = await runner.run(warmUpRun(signature, tensors, copies));
    if (outcome.kind !== 'done') return claimsBatching(signature, log);
    const liar = outcome.outputs.findIndex((output) => output.shape[0] !== copies * rows);
    if (liar === -1) continue;
    const { name, shape } = signature.outputs[liar] ?? { name: '', shape: [] };
    if (shape[0] === -1) {
      log.warn(
        { output: name, inputRows: copies * rows, outputShape: shapeText(outcome.outputs[liar]?.shape ?? []) },
        'the model does not give as many rows as it takes, although its signature says so; requests run singly',
      );
    }
    return false;
  }
  return true;
}

/** What the signature says, where it cannot be tried. */
export function claimsBatching({ inputs, outputs }: Signature, log: EngineLog): boolean {
  const claims = inputs.length > 0 && [...inputs, ...outputs].every(({ shape }) => shape[0] === -1);
  if (claims) log.warn({}, 'whether the model gives a row for every row could not be tried; its signature is trusted');
  return claims;
}
