import { sumOf } from './metrics.ts';
import type { Predictions } from './predictors.ts';
import type { Submissions } from './submitters.ts';
import type { Verdict } from './verdict.ts';

export interface Outcome {
  readonly verdict: Verdict;
  readonly isDone: boolean;
  readonly submissions: Submissions;
  readonly predictions: Predictions;
  /** Longest that a submission may have waited for its answer. */
  readonly submissionBoundMs: number;
}

/** What should not have been, in words. */
export function problemsOf({ verdict, isDone, submissions, predictions, submissionBoundMs }: Outcome): string[] {
  const { accepted, failed, lost, doubled } = verdict;
  const { strange, unanswered, slowestMs, refused } = submissions;
  return [
    ...(isDone ? [] : ['not every task has come to its end']),
    ...(accepted > 0 ? [] : ['no task was accepted']),
    ...(refused.size > 0 ? [] : ['no task was refused']),
    ...failed,
    ...lost.map((id) => `${id} is lost`),
    ...doubled,
    ...strange,
    ...(unanswered === 0 ? [] : [`${unanswered} submissions had no answer`]),
    ...(slowestMs < submissionBoundMs ? [] : [`a submission had its answer after ${Math.round(slowestMs)} ms`]),
    ...predictions.failed,
  ];
}

/** What was seen, in lines. */
export async function describe(address: string, { verdict, submissions, predictions }: Outcome): Promise<string[]> {
  const { accepted, finished, failed, lost, doubled, takenOver } = verdict;
  const [logged, dropped] = await Promise.all([
    sumOf(address, 'inferd_predictions_logged_total'),
    sumOf(address, 'inferd_predictions_dropped_total'),
  ]);
  return [
    `tasks: ${accepted} accepted, ${finished} finished (${failed.length} failed), ${lost.length} lost, ` +
      `${doubled.length} doubled, ${takenOver} begun again; slowest answer ${Math.round(submissions.slowestMs)} ms`,
    ...[...submissions.refused].map(([answer, count]) => `refused: ${count} times ${answer}`),
    `predictions: ${predictions.answered} answered, ${predictions.failed.length} not; slowest ${Math.round(predictions.slowestMs)} ms`,
    `prediction log: ${logged} written, ${dropped} dropped`,
  ];
}
