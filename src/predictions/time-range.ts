import { dayOf, startOf } from './day.ts';

/** A stretch of time that a partition takes the predictions of, in milliseconds since 1970. */
export interface TimeRange {
  readonly fromMs: number;
  /** The first moment after it. */
  readonly untilMs: number;
}

/** Whether the moment is in the range. */
export function holds({ fromMs, untilMs }: TimeRange, timeMs: number): boolean {
  return fromMs <= timeMs && timeMs < untilMs;
}

/** What none of the ranges takes around a moment, within its day of UTC; undefined if one of them takes the moment. */
export function gapAround(timeMs: number, ranges: readonly TimeRange[]): TimeRange | undefined {
  if (ranges.some((range) => holds(range, timeMs))) return undefined;
  const day = dayOf(timeMs);
  const ends = ranges.map(({ untilMs }) => untilMs).filter((endMs) => endMs <= timeMs);
  const starts = ranges.map(({ fromMs }) => fromMs).filter((startMs) => startMs > timeMs);
  return { fromMs: Math.max(startOf(day), ...ends), untilMs: Math.min(startOf(day + 1), ...starts) };
}

/** Name of the table whose range begins then: with the date, and with the time of day unless that is midnight. */
export function partitionName(fromMs: number): string {
  const digits = new Date(fromMs).toISOString().replaceAll(/\D/g, '');
  const [date, time] = [digits.slice(0, 8), digits.slice(8)];
  return /^0+$/.test(time) ? `predictions_${date}` : `predictions_${date}_${time}`;
}
