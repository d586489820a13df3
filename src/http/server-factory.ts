import { createServer, type IncomingMessage, type Server, type ServerOptions, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { FastifyServerOptions } from 'fastify';
import { withoutPorts } from './forwarded-for.ts';
import type { TlsFiles } from './tls-files.ts';

export interface ServerLimits {
  readonly maxConnections: number | undefined;
  readonly maxHeaderBytes: number;
  readonly headersTimeoutMs: number;
  readonly uploadTimeoutMs: number;
  readonly keepAliveTimeoutMs: number;
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
    const handler = limits.trustProxy.length === 0 ? handle : readingPorts(handle);
    const server: Server = tls === undefined ? createServer(options, handler) : tlsServer(options, tls, handler);
    server.maxHeadersCount = maxHeaders;
    if (limits.maxConnections !== undefined) server.maxConnections = limits.maxConnections;
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
