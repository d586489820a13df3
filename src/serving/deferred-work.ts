import type { CallTerms } from './call-terms.ts';

/** The terms of work that is done later. */
export type DeferredContext = Pick<CallTerms, 'requestId' | 'signal' | 'caller'>;

/** What has become of work. */
export interface DeferredResult {
  /** What a route would answer, for JSON. */
  readonly result: unknown;
  /** By which the prediction log has it; undefined if it does not. */
  readonly predictionId: string | undefined;
}

/** Something that can be asked for now and done later, perhaps by another process that has the same models. */
export interface DeferredWork {
  /** Names the work in what is stored; the same in every process. */
  readonly name: string;
  /** @param input what was stored when it was asked for, as a structured clone */
  run(input: unknown, context: DeferredContext): Promise<DeferredResult>;
}
