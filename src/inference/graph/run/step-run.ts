import type { AppError } from '../../../errors.ts';
import { noTimings, type Timings, timingsInSequence } from '../../timings.ts';
import type { RunStep } from './run-plan.ts';

/** `absent`: it failed and the request goes on without it, or it is needed no more. */
export type StepState = 'waiting' | 'running' | 'done' | 'absent';

/** What one step of a request has come to. */
export class StepRun {
  state: StepState = 'waiting';
  /** Steps that it needs and that have not ended. */
  unmet: number;
  /** Steps that still read from it, and the graph where one of its outputs is the step's. At 0 nobody needs it any more. */
  interest: number;
  startedMs = 0;
  /** The step whose end let it begin: the way back from the last one is the critical path. */
  cause = -1;
  timings: Timings = noTimings;
  failure: AppError | undefined;
  controller: AbortController | undefined;
  reported = false;
  /** Of a combination that has enough: ends the wait for the rest. */
  stopWaiting: (() => void) | undefined;

  constructor({ needs }: RunStep, interest: number) {
    this.unmet = needs.length;
    this.interest = interest;
  }
}

/** The timings of the steps whose ends the answer waited for, one after the other. */
export function criticalPath(runs: readonly StepRun[], last: number): Timings {
  const path: Timings[] = [];
  for (let run = runs[last]; run !== undefined; run = runs[run.cause]) path.push(run.timings);
  return timingsInSequence(path);
}
