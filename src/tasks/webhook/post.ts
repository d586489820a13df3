import { type LookupAddress, type LookupAllOptions, lookup } from 'node:dns';
import { request as requestByHttp } from 'node:http';
import { request as requestByHttps } from 'node:https';
import { isIP, type LookupFunction } from 'node:net';
import { AppError } from '../../errors.ts';
import { isPublicAddress } from './public-address.ts';

const timeoutMs = 10_000;

/** As `lookup` of `node:dns` gives every address of a name. */
export type ResolveAll = (
  hostname: string,
  options: LookupAllOptions,
  done: (error: NodeJS.ErrnoException | null, addresses: LookupAddress[]) => void,
) => void;

export interface PostOptions {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** Whether addresses of this machine and its networks may be called. */
  readonly allowPrivate: boolean;
  /** Aborted when the answer is not waited for any more. */
  readonly signal?: AbortSignal;
}

/**
 * Posts to an address that a client has chosen. The address that was checked is the one that is called, since a name
 * may mean another a moment later; and redirects are answers like others, since they would lead anywhere.
 *
 * @returns the status of the answer
 * @throws AppError `WEBHOOK_REFUSED` for an address that must not be called; what the connection throws
 */
export function postWebhook(url: URL, { headers, body, allowPrivate, signal }: PostOptions): Promise<number> {
  checkWebhookUrl(url, allowPrivate);
  const request = url.protocol === 'https:' ? requestByHttps : requestByHttp;
  return new Promise((resolve, reject) => {
    const posting = request(
      url,
      {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body), ...headers },
        lookup: allowPrivate ? lookup : publicLookup(lookup),
        agent: false,
        signal: AbortSignal.any([AbortSignal.timeout(timeoutMs), ...(signal === undefined ? [] : [signal])]),
      },
      (response) => {
        resolve(response.statusCode ?? 0);
        response.destroy();
      },
    );
    posting.on('error', reject);
    posting.end(body);
  });
}

/**
 * What can be told of a webhook without asking for the address of its name.
 *
 * @throws AppError `WEBHOOK_REFUSED`
 */
export function checkWebhookUrl(url: URL, allowPrivate: boolean): void {
  if (url.protocol !== 'http:' && url.protocol !== 'https:') throw refused(url.protocol, 'http:// or https://');
  if (url.username !== '' || url.password !== '') throw refused(url.host, 'an address without a password');
  const host = url.hostname.replace(/^\[|\]$/g, '');
  if (!allowPrivate && isIP(host) !== 0 && !isPublicAddress(host)) throw refused(host, 'a public address');
}

/** A look at a name that gives its public addresses alone. A connection looks once, and goes to what it was given. */
export function publicLookup(resolve: ResolveAll): LookupFunction {
  return (hostname, options, done) => {
    resolve(hostname, { ...options, all: true }, (error, addresses) => {
      if (error !== null) return done(error, []);
      const found = addresses.filter(({ address }) => isPublicAddress(address));
      const [first] = found;
      if (first === undefined) return done(refused(hostname, 'the name of a public address'), []);
      if (options.all === true) return done(null, found);
      return done(null, first.address, first.family);
    });
  };
}

function refused(received: string, expected: string): AppError {
  const message = `The webhook ${received} is refused: expected ${expected}`;
  const faults = [{ location: ['query', 'webhook'], type: 'invalid_value', message }];
  return new AppError('WEBHOOK_REFUSED', { message, received, expected, faults });
}
