import type { IncomingMessage } from 'node:http';
import { saneRequestId } from '../../transport/request-id.ts';

/** The request's own `x-request-id` if it is short and printable, else a new one. */
export function requestId(request: IncomingMessage): string {
  return saneRequestId(request.headers['x-request-id']);
}
