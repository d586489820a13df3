import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface SeenRequest {
  readonly path: string;
  readonly range: string | undefined;
}

/** What befalls an answer: nothing comes after so many bytes of it, or a status takes its place. */
export type Mishap = { readonly hangAfter: number } | { readonly status: number };

/** A web server with files that can be changed, and with mishaps, the next one first. */
export class FileServer implements AsyncDisposable {
  readonly files = new Map<string, Buffer>();
  readonly mishaps: Mishap[] = [];
  readonly requests: SeenRequest[] = [];
  /** Whether it knows `range`; a simple server does not. */
  takesRanges = true;
  hasTags = true;
  readonly #server = createServer((request, response) => this.#answer(request, response));

  static async start(files: Readonly<Record<string, string | Buffer>> = {}): Promise<FileServer> {
    const server = new FileServer();
    for (const [path, content] of Object.entries(files)) server.files.set(path, Buffer.from(content));
    server.#server.listen(0, '127.0.0.1');
    await once(server.#server, 'listening');
    return server;
  }

  url(path: string): URL {
    return new URL(path, `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`);
  }

  /** Breaks every connection; what was sent and not yet read may be lost. */
  breakConnections(): void {
    this.#server.closeAllConnections();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    const { pathname } = new URL(request.url ?? '/', 'http://host');
    const { range } = request.headers;
    this.requests.push({ path: pathname, range });
    const content = this.files.get(pathname);
    const mishap = content === undefined ? undefined : this.mishaps.shift();
    if (mishap !== undefined && 'status' in mishap) return void response.writeHead(mishap.status).end();
    if (content === undefined) return void response.writeHead(404).end();

    const etag = `"${createHash('md5').update(content).digest('hex')}"`;
    if (this.hasTags) response.setHeader('etag', etag);
    const isCurrent = (request.headers['if-range'] ?? etag) === etag;
    const start = this.takesRanges && isCurrent ? Number(/^bytes=(\d+)-/.exec(range ?? '')?.[1] ?? 0) : 0;
    const body = content.subarray(start);
    if (start > 0) response.setHeader('content-range', `bytes ${start}-${content.length - 1}/${content.length}`);
    response.writeHead(start > 0 ? 206 : 200, { 'content-length': body.length });
    if (mishap === undefined) return void response.end(body);
    response.write(body.subarray(0, mishap.hangAfter));
  }
}
