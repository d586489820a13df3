import type { FastifyInstance } from 'fastify';
import { AppError } from '../../errors.ts';

/** `uri-host [ ":" port ]` of RFC 9112, section 3.2, and RFC 3986, section 3.2.2. */
const host = /^(?:\[[\da-f:.]+\]|(?:[\w.~!$&'()*+,;=-]|%[\da-f]{2})*)(?::\d*)?$/i;

/** Refuses requests with several or malformed `Host` headers, as RFC 9112, section 3.2 wants it; Node.js refuses those without. */
export function refuseMalformedHost(app: FastifyInstance): void {
  // Nearly all requests name the same one.
  let wellFormed: string | undefined;
  app.addHook('onRequest', ({ raw }, _reply, done) => {
    const { host: given } = raw.headers;
    if (given !== wellFormed) {
      if (given !== undefined && !host.test(given)) {
        done(malformedHost());
        return;
      }
      wellFormed = given;
    }
    done(hasSeveralHosts(raw.rawHeaders) ? malformedHost() : undefined);
  });
}

function hasSeveralHosts(rawHeaders: readonly string[]): boolean {
  let found = false;
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index];
    if (name?.length !== 4 || (name !== 'Host' && name !== 'host' && name.toLowerCase() !== 'host')) continue;
    if (found) return true;
    found = true;
  }
  return false;
}

/** It says nothing of what was received, which is of no use to those who send such things. */
function malformedHost(): AppError {
  const message = 'host: expected one name or address, and perhaps a port';
  const faults = [{ location: ['header', 'host'], type: 'invalid_value', message }];
  return new AppError('MALFORMED_HEADER', { message, expected: 'one host', faults });
}
