/**
 * Whether a text begins with a day that there is, as `2026-11-21`. `Date.parse` takes 30 February for 2 March.
 *
 * @param text must begin with four digits, two and two, with `-` between them
 */
export function isCalendarDay(text: string): boolean {
  const day = text.slice(0, 10);
  const timeMs = Date.parse(day);
  return !Number.isNaN(timeMs) && new Date(timeMs).toISOString().startsWith(day);
}
