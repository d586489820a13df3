import type { Percentiles } from '../../predictions/replay/percentiles.ts';
import type { ReplayReport } from '../../predictions/replay/replay.ts';
import { exactJsonText } from '../../tensor/json/exact-json-text.ts';

/** Whether the limits of a replay hold. */
export interface Verdict {
  readonly passed: boolean;
  /** Every limit that does not hold. */
  readonly reasons: readonly string[];
}

/** The report of a replay for people. */
export function replayLines(report: ReplayReport, { passed, reasons }: Verdict): string {
  const { replayed, agreed, failed, skipped, score, latency_ms: latency } = report;
  const lines = [
    `Replayed    ${replayed} predictions, ${failed} failed`,
    `Skipped     ${skipped.inputs_not_kept} whose inputs were not kept whole, ${skipped.not_understood} not understood`,
    ...report.not_understood.map((reason) => `            ${reason}`),
    `Agreement   ${percent(report.agreement)} (${agreed} of ${replayed})`,
    ...scoreLines(score),
    `Latency     ${times(latency.logged)} logged, ${times(latency.replayed)} replayed`,
    ...report.changed.map(({ id, logged, replayed: now, label }) => {
      const truth = label === undefined ? '' : `, the label is ${exactJsonText(label)}`;
      return `Changed     ${id}: ${exactJsonText(logged)} is now ${exactJsonText(now)}${truth}`;
    }),
    ...report.failures.map((failure) => `Failed      ${failure}`),
    ...reasons.map((reason) => `Limit       ${reason}`),
    passed ? 'Passed' : 'Not passed',
  ];
  return `${lines.join('\n')}\n`;
}

function scoreLines({ logged, replayed }: ReplayReport['score']): string[] {
  if (replayed.labelled === 0) return ['Score       no labels'];
  const [before, now] =
    replayed.accuracy === null
      ? [`RMSE ${rounded(logged.root_mean_square_error)}`, `RMSE ${rounded(replayed.root_mean_square_error)}`]
      : [percent(logged.accuracy), percent(replayed.accuracy)];
  return [`Score       ${before} logged, ${now} replayed, on ${replayed.labelled} labels`];
}

function percent(part: number | null): string {
  return part === null ? 'unknown' : `${(part * 100).toFixed(1)} %`;
}

function times({ p50, p95, p99 }: Percentiles): string {
  return `${[p50, p95, p99].map(rounded).join('/')} ms`;
}

function rounded(value: number | null): string {
  return value === null ? 'unknown' : value.toPrecision(3);
}
