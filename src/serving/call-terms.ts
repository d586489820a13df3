import type { PredictContext } from '../inference/predictor.ts';
import type { Priority } from '../inference/priority.ts';
import type { TraceContext } from '../inference/trace-context.ts';

/** What a request asks besides its body: in whose name, how urgently, and until when the answer is of use. */
export interface CallTerms {
  readonly requestId: string;
  /** Who asks; undefined when there are no keys. */
  readonly caller?: PredictContext['caller'];
  /** Aborted when the client does not wait for the answer any more. */
  readonly signal: AbortSignal;
  /** Capped by the deadline of the server and by that of the model; both when absent. */
  readonly timeoutMs?: number | undefined;
  /** How urgent it is; 0 or absent stands for the level of most requests. */
  readonly priority?: Priority | undefined;
  /** The trace that the request belongs to. */
  readonly trace?: TraceContext | undefined;
  /** Headers that a predictor may choose by. @default none */
  readonly headers?: PredictContext['headers'];
}

/** The terms that the body of a request can ask for, beside those of its transport. */
export interface AskedTerms {
  /** Deadline in milliseconds; the shorter one of this and that of the transport counts. */
  readonly timeoutMs?: number | undefined;
  /** Takes the place of the priority that the transport names. */
  readonly priority?: number | undefined;
}

/** The shorter one of two times, where undefined stands for no limit. */
export function shorterMs(one: number | undefined, other: number | undefined): number | undefined {
  if (one === undefined) return other;
  return other === undefined ? one : Math.min(one, other);
}

/** The terms of work that no client waits for: it has no deadline but that of the server, and runs below every priority. */
export function backgroundTerms({ requestId, caller, signal }: CallTerms): CallTerms {
  return { requestId, caller, signal, priority: 'background' };
}
