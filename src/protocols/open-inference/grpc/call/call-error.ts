import { type ServiceError, status } from '@grpc/grpc-js';
import { tellModels } from '../../../../access/tell-models.ts';
import { type ErrorCode, toAppError } from '../../../../errors.ts';
import { retryStatus } from '../../../../open-inference-messages/messages/retry-info.ts';
import type { Logger } from '../../../../telemetry/logger.ts';
import { answerMetadata, type CallContext } from './call-context.ts';
import { statusOfKind } from './status.ts';

/** The status by which a call ends. */
export type CallError = Pick<ServiceError, 'code' | 'details' | 'metadata' | 'name' | 'message'>;

/** A load that fails is the fault of the files that the call named, and the operator has to know what is wrong. */
const statusOfCode: Partial<Record<ErrorCode, status>> = {
  MODEL_LOAD_FAILED: status.FAILED_PRECONDITION,
  MANIFEST_INVALID: status.FAILED_PRECONDITION,
  GRAPH_INVALID: status.FAILED_PRECONDITION,
  REMOTE_INVALID: status.FAILED_PRECONDITION,
};

/** It travels as a header, percent-encoded, and clients take headers of some kilobytes. */
const mostDetails = 1_000;

/**
 * The status for whatever was thrown. When trying again may help, `grpc-retry-pushback-ms` says when to clients with a
 * retry policy, and `grpc-status-details-bin` says it to the others. What is the server's fault is logged, and the client learns no more of it than the request id.
 *
 * @see https://github.com/grpc/proposal/blob/master/A6-client-retries.md (pushback)
 */
export function callError(thrown: unknown, context: CallContext, log: Logger): CallError {
  const error = tellModels(toAppError(thrown), context.caller);
  const code = statusOfCode[error.code] ?? statusOfKind[error.kind];
  if (code === status.INTERNAL) log.error({ err: error, request_id: context.requestId }, 'Call failed');
  const details = code === status.INTERNAL ? 'Internal error' : error.message.slice(0, mostDetails).toWellFormed();
  const metadata = answerMetadata(context);
  if (error.retryAfterSeconds !== undefined) {
    metadata.set('grpc-retry-pushback-ms', String(1000 * error.retryAfterSeconds));
    metadata.set('grpc-status-details-bin', retryStatus(code, details, error.retryAfterSeconds));
  }
  return { name: 'CallError', code, details, message: details, metadata };
}
