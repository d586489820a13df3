import type { Contestant, RunningServer } from '../contestants/contestant.ts';
import type { Options, WorkloadName } from '../options.ts';
import type { Figure, Measurement } from '../report/results.ts';
import type { Workload } from '../workloads.ts';

/** One round: what it runs with, and where its numbers go. */
export interface Round {
  readonly number: number;
  readonly options: Options;
  readonly workloads: readonly Workload[];
  readonly modelFiles: Readonly<Record<WorkloadName, string>>;
  readonly measurements: Measurement[];
  readonly figures: Figure[];
  readonly problems: string[];
}

/** A contestant that is up. */
export interface Session {
  readonly contestant: Contestant;
  readonly server: RunningServer;
}

export function addFigure(round: Round, name: string, value: number): void {
  round.figures.push({ round: round.number, name, value });
}

/** The workload if this run has it. */
export function workloadOf(round: Round, name: WorkloadName): Workload | undefined {
  return round.workloads.find((workload) => workload.name === name);
}
