import { dayOf, startOf } from '../day.ts';
import type { TimeRange } from '../time-range.ts';

/** Days that a time must follow on each other for it to be believed after days without any. */
const settlingDays = 2;

/**
 * The time that the age of predictions is counted by. While a server runs, there is a partition for each day: a time that
 * comes after days without one is that of a server that was stopped for long, or of a clock that has jumped ahead. It is
 * believed after two days; until then it is a time before them, to which the same applies.
 *
 * @param ranges of all partitions
 * @param claimedMs the time by the clocks; all in milliseconds since 1970
 */
export function settledTime(ranges: readonly TimeRange[], claimedMs: number): number {
  const days = new Set(ranges.map(({ fromMs }) => dayOf(fromMs)));
  const today = dayOf(claimedMs);
  let first = today;
  while (days.has(first - 1)) first -= 1;
  const earlier = [...days].filter((day) => day < first);
  if (earlier.length === 0 || today - first >= settlingDays) return claimedMs;
  // The last of those days has only been made ready for.
  return settledTime(ranges, startOf(Math.max(...earlier)) - 1);
}
