import http from 'node:http';
import https from 'node:https';

/** A request; nothing is added to its headers but `Host`, `Connection` and the length of the body. */
export interface Exchange {
  readonly method: 'GET' | 'HEAD' | 'POST' | 'DELETE';
  /** Below the address of the server, such as `/v2/health/live`. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
}

export interface Reply {
  readonly status: number;
  readonly headers: http.IncomingHttpHeaders;
  /** As it came, not decompressed. */
  readonly body: Buffer;
}

export interface HttpClientOptions {
  /** How long a reply may take, in milliseconds. */
  readonly timeoutMs: number;
  /** Headers of every request, such as `Authorization`. */
  readonly headers: Readonly<Record<string, string>>;
}

/**
 * Plain HTTP: unlike `fetch` it can leave out `Content-Type`, and neither adds `Accept-Encoding` nor decompresses. Each
 * request has a connection of its own, so that one that is broken off cannot spoil the next.
 */
export class HttpClient {
  readonly #base: URL;
  readonly #options: HttpClientOptions;

  constructor(base: URL, options: HttpClientOptions) {
    this.#base = base;
    this.#options = options;
  }

  /** @throws Error when no whole reply comes in time */
  send({ method, path, headers = {}, body = '' }: Exchange): Promise<Reply> {
    const { protocol, hostname, port, pathname } = this.#base;
    const bytes = typeof body === 'string' ? Buffer.from(body) : body;
    const { request: start } = protocol === 'https:' ? https : http;
    return new Promise((resolve, reject) => {
      const request = start({
        protocol,
        // The brackets of an IPv6 address belong to the URL alone.
        hostname: hostname.replace(/^\[|\]$/g, ''),
        port,
        path: pathname.replace(/\/$/, '') + path,
        method,
        headers: { ...this.#options.headers, ...headers, ...lengthOf(method, bytes) },
        agent: false,
        signal: AbortSignal.timeout(this.#options.timeoutMs),
      });
      request.on('error', reject);
      request.on('response', (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('error', reject);
        response.on('end', () => {
          resolve({ status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(chunks) });
        });
      });
      request.end(bytes);
    });
  }
}

function lengthOf(method: Exchange['method'], bytes: Uint8Array): Record<string, string> {
  return method === 'POST' ? { 'content-length': String(bytes.byteLength) } : {};
}
