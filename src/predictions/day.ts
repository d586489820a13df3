/** A day in milliseconds. */
export const dayMs: number = 24 * 60 * 60 * 1000;

/** A day of UTC, by its number since 1970. */
export type Day = number;

/** The day of a time in milliseconds since 1970. */
export function dayOf(timeMs: number): Day {
  return Math.floor(timeMs / dayMs);
}

/** When the day begins, in milliseconds since 1970. */
export function startOf(day: Day): number {
  return day * dayMs;
}
