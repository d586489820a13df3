import { AppError } from '../../errors.ts';
import type { SharedRun } from '../independence/spot-checks.ts';
import type { Answers } from './answers.ts';
import { separateBackground } from './background.ts';
import type { RunOutcome } from './executor.ts';
import { rowsMatch, splitOutputs } from './join.ts';
import type { Batch } from './lane.ts';
import type { Pending } from './pending.ts';
import { runnerDied } from './refusals.ts';

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
      return finishRefused(members, outcome.message, context);
    case 'not_started':
      return [members];
    case 'died':
      return finishDied(members, outcome.reason, context);
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
    const { phases } = member;
    phases.queueMs += Math.max(0, outcome.startedMs - member.enqueuedMs);
    phases.inferMs += outcome.runMs;
    phases.batchMs += Math.max(0, nowMs - outcome.startedMs - outcome.runMs);
    phases.batchRows = rows;
    answers.resolve(member, outputs, nowMs);
  }
  return [];
}

/** Requests that somebody waits for shall not fail by what came along in the background: they run again, without it. */
function finishDied(members: readonly Pending[], reason: string, { answers }: FinishContext): (readonly Pending[])[] {
  const [online, background] = separateBackground(members);
  for (const member of background ?? members) answers.reject(member, runnerDied(reason));
  return background === undefined || online === undefined ? [] : [online];
}

/**
 * One request of the batch is at fault: halving the batch finds it, and the others get their answers. What came along in
 * the background is parted from the others first, for they shall not wait for its faults to be found.
 */
function finishRefused(
  members: readonly Pending[],
  message: string,
  { answers }: FinishContext,
): (readonly Pending[])[] {
  const [first] = members;
  if (first === undefined) return [];
  if (members.length === 1) {
    answers.reject(first, new AppError('MODEL_REFUSED_INPUT', { message: `The model refused the input: ${message}` }));
    return [];
  }
  const parts = separateBackground(members);
  if (parts.length > 1) return [...parts];
  const middle = Math.ceil(members.length / 2);
  return [members.slice(0, middle), members.slice(middle)];
}
