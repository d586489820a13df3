import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Lease } from '../../models/registry/lease.ts';
import type { AskedTerms, CallTerms } from '../../serving/call-terms.ts';
import type { Decode, Encode, Infer, InferRequest, TypedRequest } from '../../serving/infer.ts';
import type { SeparateInstances } from '../../serving/separate-instances.ts';
import type { ServedModel } from '../../serving/served-model.ts';
import { readCallTerms } from '../terms/call-terms.ts';
import { setPredictionHeaders } from './prediction-headers.ts';

/** A prediction as a route wants it: of which model, and how its request becomes tensors and tensors its answer. */
export interface Prediction<Answer> extends AskedTerms {
  readonly model: string;
  /** The version that answers when absent. */
  readonly version?: string | undefined;
  /** The version that answers, where the route holds it already; it is released whatever happens. */
  readonly lease?: Lease | undefined;
  /** Names of the wanted outputs; all when absent. */
  readonly outputs?: InferRequest['outputs'];
  /** What stands behind the tensors, for logs; the tensors themselves when absent. */
  readonly typed?: TypedRequest | undefined;
  /** How instances run each by itself, where the model takes one at a time. */
  readonly separate?: SeparateInstances<ServedModel> | undefined;
  /** Which instances share a run, where the encoder says so. */
  readonly grouped?: InferRequest['grouped'];
  readonly encode: Encode;
  readonly decode: Decode<Answer>;
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
  prediction: Prediction<Answer>,
): Promise<Answer> {
  const { model, version, lease, outputs, typed, separate, grouped, encode, decode } = prediction;
  const terms = termsOf(request, reply, prediction);
  const result = await infer({ ...terms, model, version, lease, outputs, typed, separate, grouped }, encode, decode);
  setPredictionHeaders(request, reply, result);
  return result.answer;
}

function termsOf(request: FastifyRequest, reply: FastifyReply, prediction: Prediction<unknown>): CallTerms {
  try {
    return readCallTerms(request, reply, prediction);
  } catch (thrown) {
    prediction.lease?.release();
    throw thrown;
  }
}
