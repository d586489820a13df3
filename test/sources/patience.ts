import type { DownloadDependencies } from '../../src/sources/download.ts';
import { VirtualClock } from '../virtual-clock.ts';

export interface Patience extends DownloadDependencies {
  readonly clock: VirtualClock;
  /** How long was waited before each further attempt, in milliseconds. */
  readonly delaysMs: number[];
  readonly warnings: string[];
  readonly abort: AbortController;
}

/** What a download works with, on a clock that jumps over the time between attempts. */
export function createPatience(overrides: Partial<DownloadDependencies> = {}): Patience {
  const clock = new VirtualClock();
  const delaysMs: number[] = [];
  const warnings: string[] = [];
  const abort = new AbortController();
  const warn = (details: { delay_ms?: number }, message: string) => {
    warnings.push(message);
    const { delay_ms: delayMs } = details;
    if (delayMs === undefined) return;
    delaysMs.push(delayMs);
    setImmediate(() => void clock.advance(delayMs));
  };
  const log = { warn, info: () => undefined };
  const onProgress = () => undefined;
  const given = { clock, random: () => 1, signal: abort.signal, log, onProgress, ...overrides };
  return { ...given, clock, delaysMs, warnings, abort };
}
