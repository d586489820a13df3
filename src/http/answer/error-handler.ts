import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { tellModels } from '../../access/tell-models.ts';
import { AppError, type ErrorCode, toAppError } from '../../errors.ts';
import { unsupportedMediaType } from '../body/media-type.ts';
import { routableTarget } from '../connection/request-target.ts';
import { statusOfKind } from './error-status.ts';
import { problemBody, problemMediaType } from './problem.ts';

/** Errors of Fastify and its plugins that are the client's fault, in our own terms. */
const codeOfFastifyError: Readonly<Record<string, ErrorCode>> = {
  FST_ERR_CTP_INVALID_JSON_BODY: 'MALFORMED_JSON',
  FST_ERR_CTP_EMPTY_JSON_BODY: 'MALFORMED_JSON',
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: 'MALFORMED_BODY',
  FST_ERR_CTP_BODY_TOO_LARGE: 'BODY_TOO_LARGE',
  FST_ERR_CTP_INVALID_MEDIA_TYPE: 'UNSUPPORTED_MEDIA_TYPE',
  FST_ERR_BAD_URL: 'ROUTE_NOT_FOUND',
  FST_INVALID_MULTIPART_CONTENT_TYPE: 'UNSUPPORTED_MEDIA_TYPE',
  FST_REQ_FILE_TOO_LARGE: 'BODY_TOO_LARGE',
  FST_FILES_LIMIT: 'BODY_TOO_LARGE',
  FST_FIELDS_LIMIT: 'BODY_TOO_LARGE',
  FST_PARTS_LIMIT: 'BODY_TOO_LARGE',
  FST_PROTO_VIOLATION: 'MALFORMED_BODY',
  FST_ERR_MULTIPART_PREMATURE_CLOSE: 'MALFORMED_BODY',
};

/** Whatever was thrown, as one of our errors, with what the caller of the request may be told. */
export function fromThrown(thrown: unknown, { caller }: Pick<FastifyRequest, 'caller'>): AppError {
  if (thrown instanceof AppError) return tellModels(thrown, caller);
  if (!(thrown instanceof Error)) return toAppError(thrown);

  const { code = '', statusCode = 500 } = thrown as Partial<FastifyError>;
  const known = codeOfFastifyError[code];
  if (known !== undefined) return new AppError(known, { message: thrown.message, cause: thrown });
  if (statusCode === 413) return new AppError('BODY_TOO_LARGE', { message: thrown.message, cause: thrown });
  if (statusCode === 415) return new AppError('UNSUPPORTED_MEDIA_TYPE', { message: thrown.message, cause: thrown });
  const isClientFault = statusCode >= 400 && statusCode < 500;
  if (isClientFault) return new AppError('MALFORMED_BODY', { message: thrown.message, cause: thrown });
  return toAppError(thrown);
}

/** Answers every error as a problem, unless a route or protocol has a handler of its own. */
export function setErrorHandler(app: FastifyInstance): void {
  app.setErrorHandler((thrown, request, reply) => {
    const error = fromThrown(thrown, request);
    const isOfFastify = !(thrown instanceof AppError) && error.code === 'UNSUPPORTED_MEDIA_TYPE';
    return sendProblem(isOfFastify ? unsupportedMediaType(request, thrown) : error, request, reply);
  });
}

/** Answers with the error as `application/problem+json`, and logs it if it is the server's fault. */
export function sendProblem(error: AppError, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  prepareErrorReply(error, request, reply);
  return reply.type(problemMediaType).send(problemBody(error, { id: request.id, path: pathOf(request) }));
}

/** Sets the status and the headers that an error has in every protocol, and logs it if it is the server's fault. */
export function prepareErrorReply(error: AppError, request: FastifyRequest, reply: FastifyReply): void {
  const status = statusOfKind[error.kind];
  if (status === 500) request.log.error({ err: error, request_id: request.id }, 'Request failed');
  if (error.kind === 'unauthenticated') reply.header('www-authenticate', 'Bearer realm="inferd"');
  if (error.retryAfterSeconds !== undefined) reply.header('retry-after', error.retryAfterSeconds);
  reply.code(status);
}

/** The path as the client has sent it: that of the default model would name it. */
function pathOf({ originalUrl }: FastifyRequest): string {
  const url = routableTarget(originalUrl);
  const end = url.indexOf('?');
  return end < 0 ? url : url.slice(0, end);
}
