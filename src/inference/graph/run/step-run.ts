import type { AppError } from '../../../errors.ts';
import { noTimings, type Timings, timingsInSequence } from '../../timings.ts';
import type { Standing } from './combination/decide-combination.ts';
import type { RunStep } from './plan/run-plan.ts';

/** `absent`: it failed and the request goes on without it, or it is needed no more. */
type StepState = 'waiting' | 'running' | 'done' | 'absent';

/** What one step of a request has come to. */
export class StepRun {
  readonly of: RunStep;
  readonly index: number;
  state: StepState = 'waiting';
  /** Steps that it needs and that have not ended. */
  unmet: number;
  /** Steps that still read from it, and the graph where it gives one of its outputs. At 0 nobody needs it any more. */
  interest: number;
  startedMs: number | undefined;
  /** The step whose end let it begin: the way back from the last one is the critical path. */
  cause = -1;
  timings: Timings = noTimings;
  failure: AppError | undefined;
  controller: AbortController | undefined;
  isReported = false;
  /** Whether it reads nothing any more. */
  hasRead = false;
  /** Of a combination that has enough: ends the wait for the rest. */
  stopWaiting: (() => void) | undefined;

  constructor(of: RunStep, index: number) {
    this.of = of;
    this.index = index;
    this.unmet = of.needs.length;
    this.interest = of.readers.length + (of.isOutput ? 1 : 0);
  }

  get name(): string {
    return this.of.step.name;
  }

  /** Whether the request fails with it. */
  get isRequired(): boolean {
    return this.of.step.required || this.of.isOutput;
  }
}

/** Where the tensors of a combination stand. */
export function standingsOf({ of }: StepRun, runs: readonly StepRun[]): Standing[] {
  return of.of.map((index) => {
    const run = runs[index];
    // It is an input of the graph.
    if (run === undefined || run.state === 'done') return 'there';
    return run.state === 'absent' ? 'gone' : 'coming';
  });
}

/** The tensors of a combination that are there, as indexes of `of`. */
export function indexesThere(run: StepRun, runs: readonly StepRun[]): number[] {
  return standingsOf(run, runs).flatMap((standing, index) => (standing === 'there' ? [index] : []));
}

/** What the steps failed by that a combination waited for. */
export function failuresOf({ of }: StepRun, failed: readonly StepRun[]): AppError[] {
  return failed.flatMap(({ index, failure }) => (failure !== undefined && of.needs.includes(index) ? [failure] : []));
}

/** The timings of the steps whose ends the answer waited for, one after the other. */
export function criticalPath(runs: readonly StepRun[], last: number): Timings {
  const path: Timings[] = [];
  for (let run = runs[last]; run !== undefined; run = runs[run.cause]) path.push(run.timings);
  return timingsInSequence(path);
}
