import { STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import { AppError } from '../../errors.ts';
import type { Logger } from '../../telemetry/logger.ts';
import { saneRequestId } from '../../transport/request-id.ts';
import { statusOfKind } from '../answer/error-status.ts';
import { problemBody, problemMediaType } from '../answer/problem.ts';

export interface ClientErrorOptions {
  readonly log: Logger;
  readonly maxHeaderBytes: number;
}

type ParseError = Error & { readonly code?: string };

/** Answers what the HTTP parser refuses, which is no request yet, as a problem, and logs it as requests are logged. */
export function clientErrorHandler({ log, maxHeaderBytes }: ClientErrorOptions) {
  return (thrown: ParseError, socket: Socket): void => {
    // A client that has gone hears nothing.
    if (thrown.code === 'ECONNRESET' || socket.destroyed) return;
    const error = explain(thrown, maxHeaderBytes);
    const id = saneRequestId(undefined);
    const status = statusOfKind[error.kind];
    // Load balancers open connections on which they say nothing.
    if (socket.bytesRead > 0) log.info({ request_id: id, route: 'unreadable', status, reason: error.message });
    if (socket.writable) socket.write(answer(status, JSON.stringify(problemBody(error, { id, path: '' })), id));
    socket.destroy(thrown);
  };
}

function explain(cause: ParseError, maxHeaderBytes: number): AppError {
  switch (cause.code) {
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return new AppError('REQUEST_TOO_SLOW', {
        message: 'The request did not arrive in time (HEADERS_TIMEOUT_MS, UPLOAD_TIMEOUT_MS)',
        cause,
      });
    case 'HPE_HEADER_OVERFLOW':
      return new AppError('HEADERS_TOO_LARGE', {
        message: `The headers are larger than ${maxHeaderBytes} bytes (MAX_HEADER_BYTES)`,
        expected: maxHeaderBytes,
        cause,
      });
    default:
      return new AppError('MALFORMED_REQUEST', { message: `The request is no HTTP: ${cause.message}`, cause });
  }
}

function answer(status: number, body: string, id: string): string {
  const headers = [
    `content-type: ${problemMediaType}`,
    `content-length: ${Buffer.byteLength(body)}`,
    `x-request-id: ${id}`,
    'connection: close',
  ];
  return `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${headers.join('\r\n')}\r\n\r\n${body}`;
}
