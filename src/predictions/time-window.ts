import { isCalendarDay } from '../timing/calendar-day.ts';

const unitMs = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

/** A stretch of time, in milliseconds since 1970. */
export interface TimeWindow {
  readonly sinceMs: number;
  /** The first moment after it. */
  readonly untilMs: number;
}

/** A moment in milliseconds since 1970: a time of ISO 8601, or how long ago, such as `24h`. Undefined if it is neither. */
export function parseMoment(text: string, nowMs: number): number | undefined {
  const [, amount = '', unit] = /^(\d{1,6})([smhd])$/.exec(text) ?? [];
  if (unit !== undefined) return nowMs - Number(amount) * unitMs[unit as keyof typeof unitMs];
  if (!/^\d{4}-\d{2}-\d{2}(T[\d:.]+(Z|[+-]\d{2}:\d{2}))?$/.test(text)) return undefined;
  const timeMs = Date.parse(text);
  return Number.isNaN(timeMs) || !isCalendarDay(text) ? undefined : timeMs;
}

/** A stretch of time as two moments with `/` between them; undefined if it is none. */
export function parseWindow(text: string, nowMs: number): TimeWindow | undefined {
  const [since = '', until = '', ...others] = text.split('/');
  const sinceMs = parseMoment(since, nowMs);
  const untilMs = parseMoment(until, nowMs);
  if (sinceMs === undefined || untilMs === undefined || others.length > 0 || sinceMs >= untilMs) return undefined;
  return { sinceMs, untilMs };
}
