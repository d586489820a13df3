import type { CheckResult } from './conformance.ts';

/** Counts of results. */
export interface Summary {
  readonly holds: number;
  readonly mustFails: number;
  readonly shouldFails: number;
  readonly notTried: number;
}

export function summarize(results: readonly CheckResult[]): Summary {
  const count = (fits: (result: CheckResult) => boolean) => results.filter(fits).length;
  return {
    holds: count(({ verdict }) => verdict === 'holds'),
    mustFails: count(({ verdict, level }) => verdict === 'fails' && level === 'MUST'),
    shouldFails: count(({ verdict, level }) => verdict === 'fails' && level === 'SHOULD'),
    notTried: count(({ verdict }) => verdict === 'not tried'),
  };
}

const marks = { holds: 'ok  ', fails: 'FAIL', 'not tried': 'skip' };

/** A result as a line; one that fails or was not tried says why, and one that fails where that is written. */
export function resultLine({ verdict, level, id, model, says, section, reason }: CheckResult): string {
  const place = model === undefined ? id : `${id} [${model}]`;
  const line = `${marks[verdict]} ${level.padEnd(6)} ${place}: ${says}`;
  if (verdict === 'holds') return line;
  return verdict === 'fails' ? `${line}\n       ${section}: ${reason}` : `${line} (${reason})`;
}

/** The counts as a line. */
export function summaryLine(results: readonly CheckResult[]): string {
  const { holds, mustFails, shouldFails, notTried } = summarize(results);
  const models = new Set(results.flatMap(({ model }) => model ?? [])).size;
  return `${holds} hold, ${mustFails} MUST fail, ${shouldFails} SHOULD fail, ${notTried} not tried; ${models} models`;
}
