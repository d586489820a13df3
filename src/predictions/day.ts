const dayMs = 24 * 60 * 60 * 1000;

/** A day of UTC, by its number since 1970. */
export type Day = number;

/** The day of a time in milliseconds since 1970. */
export function dayOf(timeMs: number): Day {
  return Math.floor(timeMs / dayMs);
}

/** When the day begins. */
export function startOf(day: Day): Date {
  return new Date(day * dayMs);
}

const partitionPattern = /^predictions_(\d{4})(\d{2})(\d{2})$/;

/** Name of the table with the predictions of a day. */
export function partitionName(day: Day): string {
  return `predictions_${startOf(day).toISOString().slice(0, 10).replaceAll('-', '')}`;
}

/** The day whose predictions the table holds; undefined if it is another table. */
export function dayOfPartition(name: string): Day | undefined {
  const [, year, month, date] = partitionPattern.exec(name) ?? [];
  if (year === undefined) return undefined;
  return dayOf(Date.parse(`${year}-${month}-${date}T00:00:00Z`));
}
