import { AppError, type ErrorKind, toAppError } from '../../../errors.ts';
import type { Tensor, Tensors } from '../../../tensor/tensor.ts';
import { clientGone } from '../../batcher/refusals.ts';
import type { PredictContext, Prediction, StepOutcome } from '../../predictor.ts';
import { noTimings, type Timings } from '../../timings.ts';
import type { BoundMember } from '../graph-binding.ts';
import type { MemberIndex, PlannedCall, PlannedFallback } from '../graph-plan.ts';
import type { StepScope } from './step-scope.ts';
import { repeatRow } from './wires/reshape.ts';
import { wireTensor } from './wires/wire-tensor.ts';

/** What a step has given. */
export interface StepResult {
  readonly outputs: Tensors;
  readonly timings: Timings;
  readonly outcome: StepOutcome;
  /** The member that answered. */
  readonly member?: MemberIndex | undefined;
}

/** Failures that say nothing against the input. */
const kindsThatFallBack: readonly ErrorKind[] = ['overloaded', 'timeout', 'internal', 'upstream'];

/** What a call sends to a member, and asks for: all outputs where `asks` is undefined. */
export interface Question {
  readonly inputs: Tensors;
  readonly asks: readonly string[] | undefined;
  readonly scope: StepScope;
}

/**
 * Asks the member, and its fallback where it fails.
 *
 * @param asks the outputs that are used; all when undefined
 * @throws AppError what the member threw; `STEP_MISMATCH` when a tensor does not fit it
 */
export async function runCall(
  call: PlannedCall,
  asks: readonly string[] | undefined,
  scope: StepScope,
): Promise<StepResult> {
  const question = { inputs: inputsOf(call, scope), asks, scope };
  try {
    const { outputs, timings } = await askMember(call, question);
    return { outputs, timings, outcome: 'ok', member: call.member };
  } catch (thrown) {
    return await recover(call, thrown, question);
  }
}

/** The inputs of the member, as its wires lead to them. */
export function inputsOf({ inputs: wires }: PlannedCall, scope: StepScope): Tensors {
  const inputs: Record<string, Tensor> = Object.create(null);
  for (const [name, wire] of wires) inputs[name] = wireTensor(wire, 'in', name, scope);
  return inputs;
}

export function askMember(call: PlannedCall, { inputs, asks, scope }: Question): Promise<Prediction> {
  return memberOf(call.member, scope).predict(inputs, contextOf(scope, asks, deadlineOf(call, scope)));
}

/** What the fallback gives, where there is one for such a failure. */
export async function recover({ fallback }: PlannedCall, thrown: unknown, question: Question): Promise<StepResult> {
  const { scope } = question;
  const error = toAppError(thrown);
  if (scope.context.signal.aborted) throw clientGone();
  if (fallback === undefined || !mayFallBack(error, scope)) throw error;
  return fallBack(fallback, error, question);
}

async function fallBack(
  fallback: PlannedFallback,
  error: AppError,
  { inputs, asks, scope }: Question,
): Promise<StepResult> {
  if ('rows' in fallback) {
    const rows = Object.entries(fallback.rows).map(([name, row]) => [name, repeatRow(row, scope.rows)]);
    return { outputs: Object.fromEntries(rows), timings: noTimings, outcome: 'fell_back' };
  }
  try {
    const predictor = memberOf(fallback.member, scope);
    const { outputs, timings } = await predictor.predict(inputs, contextOf(scope, asks, deadlineWithReserve(scope)));
    return { outputs, timings, outcome: 'fell_back', member: fallback.member };
  } catch {
    // What the member itself failed by tells more.
    throw error;
  }
}

function mayFallBack({ kind }: AppError, { clock, context, signal }: StepScope): boolean {
  return kindsThatFallBack.includes(kind) && !signal.aborted && clock.now() < context.deadlineMs;
}

function memberOf(index: MemberIndex, { members }: StepScope): BoundMember {
  const member = members[index];
  if (member === undefined) throw new AppError('INTERNAL', { message: `the binding has no member ${index}` });
  return member;
}

function contextOf(
  { context, signal }: StepScope,
  asks: readonly string[] | undefined,
  deadlineMs: number,
): PredictContext {
  if (asks !== undefined) return { ...context, signal, deadlineMs, outputs: asks };
  // A copy for each step would be most of what a graph costs.
  if (signal === context.signal && deadlineMs === context.deadlineMs) return context;
  return { ...context, signal, deadlineMs };
}

/** When the member itself must have ended: what may answer in its place needs time too. */
function deadlineOf({ timeoutMs, fallback }: PlannedCall, scope: StepScope): number {
  let deadlineMs = deadlineWithReserve(scope);
  if (timeoutMs === undefined && fallback === undefined) return deadlineMs;
  const nowMs = scope.clock.now();
  if (fallback !== undefined) {
    const leastMs = 'rows' in fallback ? 0 : (scope.members[fallback.member]?.leastMs(scope.rows) ?? 0);
    deadlineMs -= leastMs + reserveMs(deadlineMs - nowMs);
  }
  return timeoutMs === undefined ? deadlineMs : Math.min(deadlineMs, nowMs + timeoutMs);
}

function deadlineWithReserve({ deadlineMs, isOptional, clock }: StepScope): number {
  return isOptional ? deadlineMs - reserveMs(deadlineMs - clock.now()) : deadlineMs;
}

/** Time that is kept for what goes on after a step has failed, so that its answer is not late by a turn of a timer. */
function reserveMs(leftMs: number): number {
  return Math.min(50, Math.max(2, leftMs / 20));
}
