import type { Clock } from '../../../timing/clock.ts';
import type { PredictContext, Prediction } from '../../predictor.ts';
import type { FoundAnswer } from '../answer-memory.ts';
import type { PackedAnswer } from '../packed-answer.ts';
import type { KeyedRequest } from '../request-keys.ts';
import type { RunEnd, UnitRun } from './unit-run.ts';
import { isOfLeader, waitForRuns } from './wait-for-runs.ts';

/** A request, and what is known of its units before anything runs. */
interface Wanted {
  readonly request: KeyedRequest;
  readonly found: readonly (FoundAnswer | undefined)[];
  readonly context: PredictContext;
  readonly clock: Clock;
}

interface Runs {
  /** A run that is under way and answers the unit. */
  readonly find: (key: string) => UnitRun | undefined;
  /** @param isFirst whether the request has not waited for anything yet */
  readonly begin: (indexes: readonly number[], isFirst: boolean) => UnitRun;
}

/** What a request began itself. */
export interface OwnRun {
  /** Undefined where the predictor was not asked. */
  readonly prediction: Prediction | undefined;
  /** Whether the prediction is that of the whole request. */
  readonly isWhole: boolean;
  readonly sharedTtlMs: readonly number[];
  readonly stored: number;
}

export interface CollectedAnswers {
  /** For each unit its answer; undefined where an answer could not be divided into units. */
  readonly answers: readonly PackedAnswer[] | undefined;
  readonly hits: number;
  /** Of the hits, how long the first is still kept. */
  readonly ttlMs: number | undefined;
  /** Units that others had begun. */
  readonly collapsed: number;
  readonly own: OwnRun | undefined;
  /** How long was waited for what others had begun, in milliseconds. */
  readonly joinedMs: number;
}

/**
 * Gets the answers of all units: those that are known, those that others wait for, and those that nobody has asked for. Of
 * a run whose leader has ended the next one who waits begins it anew.
 *
 * @throws AppError `CLIENT_GONE`, `DEADLINE_EXCEEDED`, and those of the runs
 */
export async function collectAnswers(
  { request, found, context, clock }: Wanted,
  runs: Runs,
): Promise<CollectedAnswers> {
  const { keys, count } = request;
  const answers: (PackedAnswer | undefined)[] = [];
  const joined = new Set<number>();
  let pending: number[] = [];
  let ttlMs: number | undefined;
  for (let index = 0; index < count; index += 1) {
    const known = found[index];
    answers.push(known?.answer);
    if (known === undefined) pending.push(index);
    else ttlMs = Math.min(ttlMs ?? known.ttlMs, known.ttlMs);
  }
  const hits = count - pending.length;
  const startedMs = pending.length === 0 ? 0 : clock.now();
  let own: OwnRun | undefined;
  let isDivisible = true;
  for (let isFirst = true; pending.length > 0; isFirst = false) {
    const { byUnit, led } = assign(pending, keys, runs, isFirst);
    const all = [...new Set(byUnit.values())];
    const ends = await waitForRuns({ runs: all, led, context, clock });
    const endOf = new Map(all.map((run, index) => [run, ends[index]]));
    const again: number[] = [];
    for (const index of pending) {
      const run = byUnit.get(index);
      const end = run && endOf.get(run);
      if (run === undefined || end === undefined) continue;
      if (run !== led) joined.add(index);
      if (end.kind === 'answered') answers[index] = end.answers[run.units.get(keys[index] ?? '') ?? 0];
      else if (end.kind === 'indivisible') isDivisible = false;
      else if (run !== led && isOfLeader(end.error)) again.push(index);
      else throw end.error;
    }
    const ledEnd = led && endOf.get(led);
    if (led !== undefined && ledEnd !== undefined) own = ownRun(ledEnd, led.units.size === count) ?? own;
    pending = again;
  }
  return {
    answers: isDivisible ? answers.filter((answer) => answer !== undefined) : undefined,
    hits,
    ttlMs,
    collapsed: joined.size,
    own,
    joinedMs: joined.size > 0 ? clock.now() - startedMs : 0,
  };
}

/** Which run answers which unit; those that none does are begun together. */
function assign(pending: readonly number[], keys: readonly string[], runs: Runs, isFirst: boolean) {
  const byUnit = new Map<number, UnitRun>();
  const leading = new Map<string, number>();
  for (const index of pending) {
    const key = keys[index] ?? '';
    const run = runs.find(key);
    if (run !== undefined) byUnit.set(index, run);
    else if (!leading.has(key)) leading.set(key, index);
  }
  if (leading.size === 0) return { byUnit, led: undefined };
  const led = runs.begin([...leading.values()], isFirst);
  for (const index of pending) if (!byUnit.has(index)) byUnit.set(index, led);
  return { byUnit, led };
}

function ownRun(end: RunEnd, isWhole: boolean): OwnRun | undefined {
  if (end.kind === 'failed') return undefined;
  const { prediction } = end;
  if (end.kind === 'indivisible') return { prediction, isWhole, sharedTtlMs: [], stored: 0 };
  const { sharedTtlMs, stored } = end;
  return { prediction, isWhole: isWhole && sharedTtlMs.length === 0, sharedTtlMs, stored };
}
