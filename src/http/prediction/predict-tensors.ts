import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Encode, Infer, InferRequest, InferResult, ServedModel, TypedRequest } from '../../serving/infer.ts';
import type { SeparateInstances } from '../../serving/separate-instances.ts';
import { whenClientIsGone } from '../terms/client-signal.ts';
import { requestPriority } from '../terms/priority-header.ts';
import { requestTimeoutMs } from '../terms/timeout-header.ts';
import { traceContextOf } from '../terms/trace-context.ts';
import { setPredictionHeaders } from './prediction-headers.ts';

/** A prediction as a route wants it: of which model, and how its request becomes tensors and tensors its answer. */
export interface Prediction<Answer> {
  readonly model: string;
  /** The highest loaded version when absent. */
  readonly version?: string | undefined;
  /** Names of the wanted outputs; all when absent. */
  readonly outputs?: InferRequest['outputs'];
  /** Deadline that the body asks for; that of the header counts as well. */
  readonly timeoutMs?: number | undefined;
  /** Priority that the body asks for, in place of that of the header. */
  readonly priority?: number | undefined;
  /** What stands behind the tensors, for logs; the tensors themselves when absent. */
  readonly typed?: TypedRequest | undefined;
  /** How instances run each by itself, where the model takes one at a time. */
  readonly separate?: SeparateInstances<ServedModel> | undefined;
  readonly encode: Encode;
  readonly decode: (result: InferResult) => Answer | Promise<Answer>;
}

/**
 * Predicts for a route: within the deadline of the request, until its client is gone, with the headers that say which
 * model answered and where the time went.
 *
 * @throws AppError `MALFORMED_HEADER`, and what encoding, {@link Infer} and decoding throw
 */
export async function predictTensors<Answer>(
  request: FastifyRequest,
  reply: FastifyReply,
  infer: Infer,
  { model, version, outputs, typed, separate, encode, decode, ...asked }: Prediction<Answer>,
): Promise<Answer> {
  const timeoutMs = Math.min(
    requestTimeoutMs(request, reply) ?? Number.POSITIVE_INFINITY,
    asked.timeoutMs ?? Number.POSITIVE_INFINITY,
  );
  const signal = whenClientIsGone(reply);
  const trace = traceContextOf(request);
  const priority = asked.priority ?? requestPriority(request);
  const { id: requestId, caller } = request;
  const asks = { model, version, outputs, typed, separate, requestId, caller, signal, timeoutMs, priority, trace };
  const result = await infer(asks, encode);
  const inferredMs = performance.now();
  const decoded = decode(result);
  const answer = decoded instanceof Promise ? await decoded : decoded;
  setPredictionHeaders(request, reply, result, { decodeMs: performance.now() - inferredMs });
  return answer;
}
