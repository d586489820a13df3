import type { AppError } from '../../errors.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import { backgroundLevel } from '../priority.ts';
import type { Timings } from '../timings.ts';
import type { TraceContext } from '../trace-context.ts';

/** What a request gets. */
export interface Answer {
  /** In the order of {@link Pending.outputs}. */
  readonly outputs: readonly Tensor[];
  readonly timings: Timings;
}

/** A request, or a part of a large one, from its admission to its answer. */
export interface Pending {
  /** In the order of the signature. */
  readonly inputs: readonly Tensor[];
  /** Wanted outputs as indexes into the signature. */
  readonly outputs: readonly number[];
  /** Requests with the same key can share a run; those without one run by themselves. */
  readonly group: string | undefined;
  /** Place in the order of arrival. */
  readonly order: number;
  /** How urgent it is, as `levelOf` gives it. */
  readonly level: number;
  readonly rows: number;
  readonly bytes: number;
  readonly deadlineMs: number;
  /** Aborted when the client no longer waits for the answer. */
  readonly signal: { readonly aborted: boolean };
  readonly requestId?: string | undefined;
  /** The trace that the request belongs to. */
  readonly trace?: TraceContext | undefined;
  /** A part of a request that was cut. */
  readonly isPart?: true;
  /** A run of our own, which no client asked for: it is not counted. */
  readonly isCheck?: true;
  readonly enqueuedMs: number;
  settled: boolean;
  /** Runs with it in which the runner crashed. */
  crashes: number;
  readonly resolve: (answer: Answer) => void;
  readonly reject: (error: AppError) => void;
}

/** A request that asks for admission. */
export type Arrival = Omit<Pending, 'order' | 'enqueuedMs' | 'settled' | 'crashes'>;

export function isBackground({ level }: Pick<Pending, 'level'>): boolean {
  return level === backgroundLevel;
}
