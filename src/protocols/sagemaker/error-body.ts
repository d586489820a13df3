import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import type { ErrorCode, ErrorKind } from '../../errors.ts';
import { fromThrown, prepareErrorReply } from '../../http/answer/error-handler.ts';
import { statusOfKind } from '../../http/answer/error-status.ts';
import { sendBareJson } from '../bare-json.ts';
import { errorResponsesOf, type StatusOf, statusWithout422 } from '../error-responses.ts';

/** Codes of MLflow: https://github.com/mlflow/mlflow/blob/master/mlflow/protos/databricks.proto. */
const mlflowCodes: Readonly<Record<ErrorKind, string>> = {
  malformed: 'BAD_REQUEST',
  invalid: 'BAD_REQUEST',
  unauthenticated: 'UNAUTHENTICATED',
  forbidden: 'PERMISSION_DENIED',
  not_found: 'RESOURCE_DOES_NOT_EXIST',
  method_not_allowed: 'BAD_REQUEST',
  not_acceptable: 'BAD_REQUEST',
  conflict: 'RESOURCE_ALREADY_EXISTS',
  too_large: 'BAD_REQUEST',
  headers_too_large: 'BAD_REQUEST',
  too_slow: 'BAD_REQUEST',
  unsupported_media_type: 'BAD_REQUEST',
  rate_limited: 'REQUEST_LIMIT_EXCEEDED',
  cancelled: 'CANCELLED',
  internal: 'INTERNAL_ERROR',
  unimplemented: 'NOT_IMPLEMENTED',
  overloaded: 'TEMPORARILY_UNAVAILABLE',
  upstream: 'TEMPORARILY_UNAVAILABLE',
  timeout: 'DEADLINE_EXCEEDED',
};

/** SageMaker unloads other models and tries again when it reads 507. A load that fails is the fault of its files. */
const statusOfCode: Partial<Record<ErrorCode, number>> = {
  OUT_OF_MEMORY: 507,
  MODEL_LOAD_FAILED: 400,
  MANIFEST_INVALID: 400,
  GRAPH_INVALID: 400,
  REMOTE_INVALID: 400,
};

const statusOf: StatusOf = ({ code, kind }) => statusOfCode[code] ?? statusWithout422(kind);

export const errorResponses = errorResponsesOf(z.object({ error_code: z.string(), message: z.string() }), statusOf);

/** Answers the errors of the routes in this plugin as MLflow does; SageMaker shows its callers the body as it is. */
export function answerErrors(app: FastifyInstance): void {
  app.setErrorHandler((thrown, request, reply) => {
    const error = fromThrown(thrown, request);
    const status = statusOf(error);
    if (status === statusOfKind[error.kind]) prepareErrorReply(error, request, reply);
    const message = status === 500 ? error.title : error.message;
    return sendBareJson(reply.code(status), { error_code: mlflowCodes[error.kind], message });
  });
}
