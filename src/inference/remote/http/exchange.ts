import { type ClientRequest, Agent as HttpAgent, request as httpRequest, type IncomingMessage } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import type { Clock } from '../../../timing/clock.ts';
import { abandoned, unreachable, unusable } from '../failures.ts';
import type { RemoteFailure } from '../remote-failure.ts';

export interface ExchangeOptions {
  /** Base URL of the server. */
  readonly url: string;
  /** Certificates that the server's is checked by, PEM. @default those of Node.js */
  readonly ca: Buffer | undefined;
  readonly connectTimeoutMs: number;
  /** Connections that are kept for the next call. */
  readonly maxIdle: number;
  readonly clock: Clock;
}

export interface HttpCall {
  readonly method: 'GET' | 'POST';
  /** Below the base URL, with a leading slash. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  /** One behind the other. */
  readonly body?: readonly Uint8Array[];
  /** Most bytes of the body of an answer that is 200. */
  readonly mostBytes: number;
}

export interface HttpAnswer {
  readonly status: number;
  readonly headers: { get(name: string): string | null };
  readonly bytes: Uint8Array;
}

/** Most bytes of an answer that is not 200: a sentence. */
const mostErrorBytes = 64 * 1024;
/** How long a server may pause within an answer: the tensors are there when it begins. */
const stallMs = 5_000;
/** Bodies up to this size are put together, so that headers and body leave as one. */
const joinedBytes = 64 * 1024;

/** Sends HTTP requests to one server, follows no redirects, and bounds what it reads. */
export class HttpExchange {
  readonly #options: ExchangeOptions;
  readonly #agent: HttpAgent | HttpsAgent;
  readonly #isSecure: boolean;
  readonly #target: { readonly hostname: string; readonly port: string; readonly path: string };

  constructor(options: ExchangeOptions) {
    this.#options = options;
    const { protocol, hostname, port, pathname } = new URL(options.url);
    this.#isSecure = protocol === 'https:';
    const agent = { keepAlive: true, maxFreeSockets: options.maxIdle };
    this.#agent = this.#isSecure
      ? new HttpsAgent({ ...agent, ...(options.ca !== undefined && { ca: options.ca }) })
      : new HttpAgent(agent);
    // Node.js takes an IPv6 address without its brackets.
    this.#target = { hostname: hostname.replace(/^\[|\]$/g, ''), port, path: pathname.replace(/\/+$/, '') };
  }

  /** @throws RemoteFailure, also when the signal is aborted; nothing of the exchange is under way then */
  send(call: HttpCall, signal: AbortSignal): Promise<HttpAnswer> {
    const { promise, resolve, reject } = Promise.withResolvers<HttpAnswer>();
    const request = this.#open(call);
    let stopTimer = () => {};
    let settled = false;
    const settle = () => {
      settled = true;
      stopTimer();
      signal.removeEventListener('abort', onAbort);
    };
    const fail = (failure: RemoteFailure) => {
      if (settled) return;
      settle();
      request.destroy();
      reject(failure);
    };
    const onAbort = () => fail(abandoned());
    const isFirstUse = () => !request.reusedSocket;
    request.on('error', (error) => fail(connectionFailure(error, isFirstUse())));
    request.on('socket', (socket) => {
      if (!socket.connecting) return;
      const { clock, connectTimeoutMs } = this.#options;
      stopTimer = clock.setTimer(connectTimeoutMs, () => fail(unreachable(`no connection in ${connectTimeoutMs} ms`)));
      socket.once(this.#isSecure ? 'secureConnect' : 'connect', () => stopTimer());
    });
    request.on('response', (response) => {
      stopTimer();
      const { stop, bytes } = this.#read(response, call.mostBytes, fail);
      stopTimer = stop;
      response.on('end', () => {
        if (settled) return;
        if (!response.complete) return fail(unusable('it was cut off'));
        settle();
        resolve({ status: response.statusCode ?? 0, headers: headersOf(response), bytes: bytes() });
      });
    });
    signal.addEventListener('abort', onAbort, { once: true });
    if (signal.aborted) onAbort();
    else writeBody(request, call.body ?? []);
    return promise;
  }

  close(): void {
    this.#agent.destroy();
  }

  #open({ method, path, headers, body = [] }: HttpCall): ClientRequest {
    const length = body.reduce((sum, part) => sum + part.byteLength, 0);
    const { hostname, port, path: base } = this.#target;
    const send = this.#isSecure ? httpsRequest : httpRequest;
    return send({
      method,
      hostname,
      ...(port !== '' && { port }),
      path: `${base}${path}`,
      headers: { ...headers, ...(method === 'POST' && { 'content-length': length }) },
      agent: this.#agent,
    });
  }

  /** Gathers the body of an answer, within its bounds. */
  #read(response: IncomingMessage, mostBytes: number, fail: (failure: RemoteFailure) => void) {
    const { clock } = this.#options;
    const bound = response.statusCode === 200 ? mostBytes : mostErrorBytes;
    const chunks: Buffer[] = [];
    let length = 0;
    let lastMs = clock.now();
    let stop = () => {};
    const watch = (delayMs: number) => {
      stop = clock.setTimer(delayMs, () => {
        const leftMs = lastMs + stallMs - clock.now();
        if (leftMs > 0) watch(leftMs);
        else fail(unusable(`nothing more came for ${stallMs} ms, ${length} bytes behind its headers`));
      });
    };
    watch(stallMs);
    const refuse = (bytes: number) => fail(unusable(`it has ${bytes} bytes; expected at most ${bound}`));
    const declared = Number(response.headers['content-length'] ?? 0);
    if (declared > bound) refuse(declared);
    response.on('data', (chunk: Buffer) => {
      lastMs = clock.now();
      length += chunk.byteLength;
      if (length > bound) refuse(length);
      else chunks.push(chunk);
    });
    response.on('error', (error) => fail(unusable('it was cut off', error)));
    return { stop: () => stop(), bytes: () => joined(chunks) };
  }
}

function joined(chunks: readonly Buffer[]): Uint8Array {
  const [first] = chunks;
  const whole = first !== undefined && chunks.length === 1 ? first : Buffer.concat(chunks);
  return new Uint8Array(whole.buffer, whole.byteOffset, whole.byteLength);
}

function writeBody(request: ClientRequest, body: readonly Uint8Array[]): void {
  const length = body.reduce((sum, part) => sum + part.byteLength, 0);
  if (length > joinedBytes) {
    for (const part of body) if (part.byteLength > 0) request.write(part);
    request.end();
  } else if (length > 0) request.end(Buffer.concat(body, length));
  else request.end();
}

function headersOf({ headers }: IncomingMessage): HttpAnswer['headers'] {
  return {
    get: (name) => {
      const value = headers[name];
      return value === undefined ? null : String(value);
    },
  };
}

/** An answer that is no HTTP is an answer; whatever else ends a connection before one leaves everything open. */
function connectionFailure(error: Error & { readonly code?: string }, isFirstUse: boolean): RemoteFailure {
  const { code = error.message } = error;
  if (code.startsWith('HPE_')) return unusable(`it is no HTTP (${code})`, error);
  const isClosed = code === 'ECONNRESET' || code === 'EPIPE';
  return unreachable(
    isClosed ? 'the connection was closed' : code,
    isClosed && !isFirstUse ? 'stale' : 'unreachable',
    error,
  );
}
