import { AppError, type ErrorKind } from '../../../../errors.ts';
import type { PlannedCombineStep } from '../../graph-plan.ts';
import { reasonOf } from '../step-error.ts';

/** Kinds of a request that fails again however often it is tried. */
const kindsOfBadInput: readonly ErrorKind[] = ['malformed', 'invalid', 'too_large'];

/**
 * Why a combination has too little to combine: what the first of its steps failed by where one would have been enough,
 * or where all of them refused the input; else `QUORUM_NOT_REACHED`.
 *
 * @param failures of its steps, in the order in which they failed
 */
export function combinationError(step: PlannedCombineStep, failures: readonly AppError[]): AppError {
  const [first] = failures;
  const reasons = failures.map(reasonOf).join('; ');
  const isBadInput = failures.every(({ kind }) => kindsOfBadInput.includes(kind));
  const takesOne = step.combine === 'first' || step.combine === 'fastest';
  if (first !== undefined && (isBadInput || takesOne)) {
    const { code, received, expected, faults, faultCount, retryAfterSeconds } = first;
    return new AppError(code, {
      message: reasons,
      received,
      expected,
      faults,
      faultCount,
      ...(retryAfterSeconds !== undefined && { retryAfterSeconds }),
      cause: first,
    });
  }
  const answered = step.of.length - failures.length;
  return new AppError('QUORUM_NOT_REACHED', {
    message: `at most ${answered} of ${step.of.length} can answer, ${step.quorum} are needed; ${reasons}`,
    received: answered,
    expected: step.quorum,
    retryAfterSeconds: Math.max(1, ...failures.map(({ retryAfterSeconds = 1 }) => retryAfterSeconds)),
    cause: first,
  });
}
