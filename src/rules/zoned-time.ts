import { RuleError } from '../inference/graph/rules.ts';
import { nearestName } from '../names/nearest-name.ts';

/** A moment on the calendar and the clock of a zone. */
interface WallTime {
  readonly year: number;
  readonly month: number;
  readonly day: number;
  readonly hour: number;
  readonly minute: number;
  readonly second: number;
}

/** How CEL counts: months and days from 0, but for `getDate`; weeks from Sunday. */
const readings: Readonly<Record<string, (time: WallTime) => number>> = {
  getFullYear: ({ year }) => year,
  getMonth: ({ month }) => month - 1,
  getDate: ({ day }) => day,
  getDayOfMonth: ({ day }) => day - 1,
  getDayOfWeek: ({ year, month, day }) => new Date(Date.UTC(year, month - 1, day)).getUTCDay(),
  getDayOfYear: ({ year, month, day }) => (Date.UTC(year, month - 1, day) - Date.UTC(year, 0, 1)) / 86_400_000,
  getHours: ({ hour }) => hour,
  getMinutes: ({ minute }) => minute,
  getSeconds: ({ second }) => second,
};

/** Methods of a moment that take a zone. */
export const zonedMethods: readonly string[] = Object.keys(readings);

/** @throws RuleError when there is no such zone */
export function checkZone(zone: string): void {
  try {
    new Intl.DateTimeFormat('en-US', { timeZone: zone });
  } catch {
    const nearest = nearestName(zone, Intl.supportedValuesOf('timeZone'));
    const advice =
      nearest === undefined ? 'expected one such as "Asia/Seoul"' : `did you mean ${JSON.stringify(nearest)}?`;
    throw new RuleError(`there is no time zone ${JSON.stringify(zone)}; ${advice}`);
  }
}

/** Reads moments on the clocks of zones, each of which is looked up once. */
export function zonedReader(): (method: string, moment: Date, zone: string) => bigint {
  const formats = new Map<string, Intl.DateTimeFormat>();
  return (method, moment, zone) => {
    const format = formats.get(zone) ?? formatOf(zone);
    formats.set(zone, format);
    return BigInt(readings[method]?.(wallTime(format, moment)) ?? 0);
  };
}

function formatOf(timeZone: string): Intl.DateTimeFormat {
  const number = 'numeric';
  const parts = { year: number, month: number, day: number, hour: number, minute: number, second: number } as const;
  return new Intl.DateTimeFormat('en-US', { timeZone, calendar: 'gregory', hourCycle: 'h23', ...parts });
}

function wallTime(format: Intl.DateTimeFormat, moment: Date): WallTime {
  const parts = new Map(format.formatToParts(moment).map(({ type, value }) => [type, Number(value)]));
  const part = (name: Intl.DateTimeFormatPartTypes) => parts.get(name) ?? 0;
  return {
    year: part('year'),
    month: part('month'),
    day: part('day'),
    hour: part('hour'),
    minute: part('minute'),
    second: part('second'),
  };
}
