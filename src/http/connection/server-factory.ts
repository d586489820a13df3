import { createServer, type IncomingMessage, type Server, type ServerOptions, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { FastifyServerOptions } from 'fastify';
import type { ConnectionBound } from '../../transport/connection-bound.ts';
import type { TlsFiles } from '../../transport/tls-files.ts';
import { withoutPorts } from './forwarded-for.ts';
import { oneAtATime } from './one-at-a-time.ts';
import { closeStalled } from './stalled-answers.ts';

export interface ServerLimits {
  readonly maxHeaderBytes: number;
  readonly headersTimeoutMs: number;
  readonly uploadTimeoutMs: number;
  readonly keepAliveTimeoutMs: number;
  /** How long a client may read nothing of its answer. */
  readonly answerStallTimeoutMs: number;
  /** Proxies whose `X-Forwarded-For` is believed. */
  readonly trustProxy: readonly string[];
}

type Handler = (request: IncomingMessage, response: ServerResponse) => void;

/** How often Node.js looks for requests that take too long to arrive. */
const timeoutCheckMs = 1000;
/** Node.js drops further ones; no honest client sends that many. */
const maxHeaders = 200;

/**
 * Makes the servers behind the app: they give slow clients a time in which headers and bodies must have arrived, and
 * speak TLS when there is a certificate.
 */
export function serverFactory(
  limits: ServerLimits,
  tls: TlsFiles | undefined,
  connections: ConnectionBound,
): NonNullable<FastifyServerOptions['serverFactory']> {
  const options: ServerOptions = {
    maxHeaderSize: limits.maxHeaderBytes,
    headersTimeout: Math.min(limits.headersTimeoutMs, limits.uploadTimeoutMs),
    requestTimeout: limits.uploadTimeoutMs,
    keepAliveTimeout: limits.keepAliveTimeoutMs,
    connectionsCheckingInterval: Math.min(timeoutCheckMs, limits.headersTimeoutMs),
    noDelay: true,
  };
  return (handle) => {
    const listener = oneAtATime(limits.trustProxy.length === 0 ? handle : readingPorts(handle));
    const server: Server = tls === undefined ? createServer(options, listener) : tlsServer(options, tls, listener);
    server.maxHeadersCount = maxHeaders;
    closeStalled(server, limits.answerStallTimeoutMs);
    connections.add(server);
    return server;
  };
}

function readingPorts(handle: Handler): Handler {
  return (request, response) => {
    const forwardedFor = request.headers['x-forwarded-for'];
    if (typeof forwardedFor === 'string') request.headers['x-forwarded-for'] = withoutPorts(forwardedFor);
    handle(request, response);
  };
}

function tlsServer(options: ServerOptions, tls: TlsFiles, handler: Handler): Server {
  // Who does not finish the handshake is a slow client like any other.
  const server = createTlsServer({ ...options, ...tls.pair, handshakeTimeout: options.headersTimeout }, handler);
  const stop = tls.whenReplaced((pair) => server.setSecureContext(pair));
  return server.once('close', stop);
}
