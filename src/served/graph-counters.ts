import { BucketCounts } from './bucket-counts.ts';
import { durationBounds } from './duration-bounds.ts';
import { KeyedCounts } from './keyed-counts.ts';
import { Total } from './total.ts';

/** A step of a graph that has ended. */
export interface StepFigures {
  readonly name: string;
  /** `ok`, `skipped`, `failed`, `fell_back` or `timeout`. */
  readonly outcome: string;
  readonly ms: number;
}

/** What is counted of the steps of one version of a graph. */
export class GraphCounters {
  /** Requests that were answered, by their rows. */
  readonly answers = new Map<number, Total>();
  /** Times of steps that ran, by step. */
  readonly durations = new Map<string, BucketCounts>();
  /** By step and outcome. */
  readonly outcomes = new KeyedCounts();
  /** Rows by step and arm. */
  readonly routes = new KeyedCounts();
  /** Rules that could not be decided, by step. */
  readonly ruleErrors = new KeyedCounts();

  recordAnswer(rows: number, ms: number): void {
    const ofSize = this.answers.get(rows) ?? new Total();
    this.answers.set(rows, ofSize);
    ofSize.add(ms);
  }

  recordStep({ name, outcome, ms }: StepFigures): void {
    this.outcomes.add([name, outcome], 1);
    if (outcome === 'skipped') return;
    const duration = this.durations.get(name) ?? new BucketCounts(durationBounds);
    this.durations.set(name, duration);
    duration.observe(ms / 1000);
  }

  recordRoute(step: string, arm: string, rows: number): void {
    this.routes.add([step, arm], rows);
  }

  recordRuleError(step: string): void {
    this.ruleErrors.add([step], 1);
  }
}
