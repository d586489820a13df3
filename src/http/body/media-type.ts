import type { FastifyRequest } from 'fastify';
import { AppError } from '../../errors.ts';

/** Media types that the route of the request documents for its body. */
function acceptedMediaTypes(request: FastifyRequest): string[] {
  const body = request.routeOptions.schema?.body as { content?: object } | undefined;
  return Object.keys(body?.content ?? {});
}

/** The error for a body whose media type the route does not take. */
export function unsupportedMediaType(request: FastifyRequest, cause?: unknown): AppError {
  const expected = acceptedMediaTypes(request);
  const received = request.headers['content-type'];
  const message = `The route takes ${expected.join(', ')}; received ${received ?? 'no content-type'}`;
  return new AppError('UNSUPPORTED_MEDIA_TYPE', { message, received, expected, cause });
}

/**
 * Refuses a body of a type that the route does not document. Without this, a body that some parser takes, or none at
 * all, would pass unvalidated, because Fastify knows no schema for it.
 *
 * @throws AppError `UNSUPPORTED_MEDIA_TYPE`
 */
export function requireAcceptedMediaType(request: FastifyRequest): void {
  const { mediaType } = request;
  if (mediaType === undefined || !acceptedMediaTypes(request).includes(mediaType)) throw unsupportedMediaType(request);
}
