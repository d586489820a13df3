import type { AppError } from '../../errors.ts';
import type { SharedRun } from '../independence/spot-checks.ts';
import type { Answers } from './answers.ts';
import type { RunOutcome } from './executor.ts';
import type { Batch } from './in-flight-slot.ts';
import { rowsMatch, splitOutputs } from './join.ts';
import type { Pending } from './pending.ts';
import { separateBackground } from './queue/background.ts';
import { modelRefused, runnerDied } from './refusals.ts';

export interface FinishContext {
  readonly nowMs: number;
  readonly answers: Answers;
  /** Whether requests may share runs, still. */
  readonly mayShare: () => boolean;
  readonly onRowsMismatch: () => void;
  readonly onSharedRun: ((run: SharedRun) => void) | undefined;
}

/** Answers the requests of a run that ended; gives the batches of those that must run again, in order. */
export function finishBatch(batch: Batch, outcome: RunOutcome, context: FinishContext): (readonly Pending[])[] {
  const { members } = batch;
  switch (outcome.kind) {
    case 'done':
      return finishDone(batch, outcome, context);
    case 'refused':
      return finishRefused(members, outcome, context);
    case 'failed':
      return finishFailed(members, outcome.error, context);
    case 'not_started':
      return [members];
    case 'died':
      return outcome.crashed
        ? finishCrashed(members, outcome.reason, context)
        : finishDied(members, outcome.reason, context);
  }
}

function finishDone(
  { members, rows }: Batch,
  outcome: Extract<RunOutcome, { kind: 'done' }>,
  { nowMs, answers, mayShare, onRowsMismatch, onSharedRun }: FinishContext,
): (readonly Pending[])[] {
  const isShared = members.length > 1 || members[0]?.isPart === true;
  const isMismatch = isShared && !rowsMatch(outcome.outputs, rows);
  if (isMismatch) onRowsMismatch();
  // Runs that were under way when it was found that rows are not independent are as wrong as the one that showed it.
  if (members.length > 1 && (isMismatch || !mayShare()))
    return members.map((member) => [{ ...member, group: undefined }]);
  if (isShared && !isMismatch && mayShare()) {
    onSharedRun?.({ members, outputIndexes: members[0]?.outputs ?? [], outputs: outcome.outputs, rows });
  }
  const shares = members.length > 1 ? splitOutputs(outcome.outputs, members) : [[...outcome.outputs]];
  for (let i = 0; i < members.length; i += 1) {
    const member = members[i];
    const outputs = shares[i];
    if (member === undefined || outputs === undefined) continue;
    const timings = {
      queueMs: Math.max(0, outcome.startedMs - member.enqueuedMs),
      batchMs: Math.max(0, nowMs - outcome.startedMs - outcome.runMs),
      inferMs: outcome.runMs,
      batchRows: rows,
    };
    answers.resolve(member, { outputs, timings }, nowMs);
  }
  return [];
}

/** An online request must not fail by background requests of the same run: it runs again without them. */
function finishDied(members: readonly Pending[], reason: string, { answers }: FinishContext): (readonly Pending[])[] {
  const [online, background] = separateBackground(members);
  for (const member of background ?? members) answers.reject(member, runnerDied(reason));
  return background === undefined || online === undefined ? [] : [online];
}

/** Who no longer waits, or is past the deadline, is told that, for it may be why the run has failed. */
function finishFailed(members: readonly Pending[], error: AppError, { nowMs, answers }: FinishContext): [] {
  for (const member of members) if (!answers.drop(member, nowMs)) answers.reject(member, error);
  return [];
}

/** Runs in which the runner crashed, after which their requests run one by one. */
const crashesToHalve = 2;

/**
 * One request of the batch is at fault, if one is: it is the one that a runner crashes on when it runs alone. The batch is
 * halved to find it, as when the model refused, but once only, for every further half costs a runner: a guilty request
 * costs three at most.
 */
function finishCrashed(
  members: readonly Pending[],
  reason: string,
  { nowMs, answers }: FinishContext,
): (readonly Pending[])[] {
  const [first] = members;
  if (first !== undefined && members.length === 1) {
    answers.blame(first, reason, nowMs);
    return [];
  }
  for (const member of members) member.crashes += 1;
  if (members.some(({ crashes }) => crashes >= crashesToHalve)) return members.map((member) => [member]);
  return halve(members);
}

/**
 * One request of the batch is at fault: halving the batch finds it, and the others get their answers. What came along in
 * the background is parted from the others first, for they shall not wait for its faults to be found.
 */
function finishRefused(
  members: readonly Pending[],
  outcome: Extract<RunOutcome, { kind: 'refused' }>,
  { answers }: FinishContext,
): (readonly Pending[])[] {
  const [first] = members;
  if (first === undefined) return [];
  if (members.length === 1) {
    answers.reject(first, modelRefused(outcome));
    return [];
  }
  return halve(members);
}

/** Two parts of a batch of several: the online members and the background ones, or else the halves. */
function halve(members: readonly Pending[]): (readonly Pending[])[] {
  const parts = separateBackground(members);
  if (parts.length > 1) return [...parts];
  const middle = Math.ceil(members.length / 2);
  return [members.slice(0, middle), members.slice(middle)];
}
