import type { Machine } from '../machine.ts';
import type { Options, WorkloadName } from '../options.ts';
import { median } from './statistics.ts';

/** Who was measured: a contestant, or the bare loop of onnxruntime-node with one thread or its default. */
export type Subject = string;
export const bareLoop: Subject = 'bare-onnxruntime (1 thread)';
export const bareLoopAllThreads: Subject = 'bare-onnxruntime (all threads)';

/** One closed-loop measurement. */
export interface Measurement {
  readonly round: number;
  readonly workload: WorkloadName;
  readonly subject: Subject;
  readonly requestsPerSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly failed: number;
}

/** One number of another scenario. */
export interface Figure {
  readonly round: number;
  readonly name: string;
  readonly value: number;
}

export interface Entrant {
  readonly name: string;
  readonly settings: string;
  readonly peer: boolean;
  /** Why it did not take part. */
  readonly leftOut?: string;
}

export interface Results {
  readonly startedAt: string;
  readonly machine: Machine;
  readonly options: Options;
  readonly entrants: readonly Entrant[];
  readonly measurements: readonly Measurement[];
  readonly figures: readonly Figure[];
  /** What went wrong without ending the run. */
  readonly problems: readonly string[];
}

export interface Summary {
  readonly requestsPerSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly failed: number;
  readonly rounds: number;
}

/** Medians over the rounds, and the sum of what failed; undefined if there was no round. */
export function summarise(results: Results, workload: WorkloadName, subject: Subject): Summary | undefined {
  const rounds = results.measurements.filter((one) => one.workload === workload && one.subject === subject);
  if (rounds.length === 0) return undefined;
  return {
    requestsPerSecond: median(rounds.map((one) => one.requestsPerSecond)),
    p50Ms: median(rounds.map((one) => one.p50Ms)),
    p99Ms: median(rounds.map((one) => one.p99Ms)),
    failed: rounds.reduce((sum, one) => sum + one.failed, 0),
    rounds: rounds.length,
  };
}

/** The values of a figure, one for each round that has it. */
export function figureValues(results: Results, name: string): number[] {
  return results.figures.filter((figure) => figure.name === name).map((figure) => figure.value);
}

/** The subjects of a workload in the order in which they were first measured. */
export function subjectsOf(results: Results, workload: WorkloadName): Subject[] {
  return [...new Set(results.measurements.filter((one) => one.workload === workload).map((one) => one.subject))];
}
