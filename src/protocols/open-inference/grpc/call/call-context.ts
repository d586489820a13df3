import { type EventEmitter, setMaxListeners } from 'node:events';
import { Metadata, type ServerUnaryCall } from '@grpc/grpc-js';
import type { Caller } from '../../../../access/caller.ts';
import { cacheStatusHeader } from '../../../../inference/cache/cache-status.ts';
import type { RequestHeaders } from '../../../../inference/predictor.ts';
import type { CallTerms } from '../../../../serving/call-terms.ts';
import { saneRequestId } from '../../../../transport/request-id.ts';
import { readTraceContext } from '../../../../transport/trace-context.ts';

/** Who asks, and until when the answer is of use. */
export interface CallContext {
  readonly requestId: string;
  /** Who has the key; undefined when there are no keys, or the call is open. */
  caller: Caller | undefined;
  /** Id of the prediction in the prediction log, once there is one. */
  predictionId: string | undefined;
  /** What the cache of the model did; undefined where it has none. */
  cacheStatus: string | undefined;
  /** Aborted when the client cancels, its deadline passes, or its connection is lost. */
  readonly signal: AbortSignal;
  /** The trace that the metadata `traceparent` and `tracestate` name. */
  readonly trace: CallTerms['trace'];
  /** The metadata of the call. */
  readonly headers: RequestHeaders;
  /** Time that is left to the client's deadline; undefined if it sets none. */
  timeoutMs(): number | undefined;
}

/** What every kind of call has in common. */
type Call = Pick<ServerUnaryCall<Buffer, Buffer>, 'metadata' | 'getDeadline'> & Pick<EventEmitter, 'once'>;

/** What is known of a call. The request id is taken from the metadata `x-request-id`. */
export function callContext(call: Call): CallContext {
  const controller = new AbortController();
  // Every request of a stream may listen.
  setMaxListeners(0, controller.signal);
  call.once('cancelled', () => controller.abort());
  const deadlineMs = Number(call.getDeadline());
  return {
    requestId: saneRequestId(call.metadata.get('x-request-id')[0]),
    caller: undefined,
    predictionId: undefined,
    cacheStatus: undefined,
    signal: controller.signal,
    trace: readTraceContext({
      traceparent: call.metadata.get('traceparent')[0]?.toString(),
      tracestate: call.metadata.get('tracestate')[0]?.toString(),
    }),
    headers: { get: (name) => call.metadata.get(name)[0]?.toString() },
    // The deadline is a moment of the wall clock, for that is how the library gives it.
    timeoutMs: () => (Number.isFinite(deadlineMs) ? Math.max(0, deadlineMs - Date.now()) : undefined),
  };
}

/** The metadata that every answer and every error carries. */
export function answerMetadata({ requestId, predictionId, cacheStatus }: CallContext): Metadata {
  const metadata = new Metadata();
  metadata.set('x-request-id', requestId);
  if (predictionId !== undefined) metadata.set('x-prediction-id', predictionId);
  if (cacheStatus !== undefined) metadata.set(cacheStatusHeader, cacheStatus);
  return metadata;
}
