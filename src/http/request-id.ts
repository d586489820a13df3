import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';

const saneId = /^[\w.:/+=-]{1,128}$/;

/** The request's own `x-request-id` if it is short and printable, else a new one. */
export function requestId(request: IncomingMessage): string {
  return saneRequestId(request.headers['x-request-id']);
}

/** The id that the client gave if it is short and printable, else a new one. */
export function saneRequestId(given: unknown): string {
  return typeof given === 'string' && saneId.test(given) ? given : randomUUID();
}
