import type { FastifyInstance } from 'fastify';
import { AppError } from '../errors.ts';

/** `uri-host [ ":" port ]` of RFC 9112, section 3.2, and RFC 3986, section 3.2.2. */
const host = /^(?:\[[\da-f:.]+\]|(?:[\w.~!$&'()*+,;=-]|%[\da-f]{2})*)(?::\d*)?$/i;

/** Refuses requests with several or malformed `Host` headers, as RFC 9112, section 3.2 wants it; Node.js refuses those without. */
export function refuseMalformedHost(app: FastifyInstance): void {
  app.addHook('onRequest', (request, _reply, done) => {
    const { host: given } = request.raw.headers;
    const isWell = (given === undefined || host.test(given)) && countHosts(request.raw.rawHeaders) <= 1;
    done(isWell ? undefined : malformedHost());
  });
}

function countHosts(rawHeaders: readonly string[]): number {
  let count = 0;
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index];
    if (name?.length === 4 && name.toLowerCase() === 'host') count += 1;
  }
  return count;
}

/** It says nothing of what was received, which is of no use to those who send such things. */
function malformedHost(): AppError {
  const message = 'host: expected one name or address, and perhaps a port';
  const faults = [{ location: ['header', 'host'], type: 'invalid_value', message }];
  return new AppError('MALFORMED_HEADER', { message, expected: 'one host', faults });
}
