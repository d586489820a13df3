import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface SeenRequest {
  readonly path: string;
  readonly range: string | undefined;
}

/**
 * What befalls an answer: a status takes its place, or nothing comes after so many bytes of the file, until the
 * connections are broken or another one goes on from there.
 */
export type Mishap = { readonly hangAt: number } | { readonly status: number };

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

  /** Breaks every connection, and with it ends the mishap; what was sent and not yet read may be lost. */
  breakConnections(): void {
    this.mishaps.shift();
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
    if (content === undefined) return void response.writeHead(404).end();

    const etag = `"${createHash('md5').update(content).digest('hex')}"`;
    const isCurrent = (request.headers['if-range'] ?? etag) === etag;
    const start = this.takesRanges && isCurrent ? Number(/^bytes=(\d+)-/.exec(range ?? '')?.[1] ?? 0) : 0;
    const mishap = this.#mishapFrom(start);
    if (mishap !== undefined && 'status' in mishap) {
      return void response.writeHead(mishap.status, { connection: 'close' }).end();
    }

    // A client that uses a connection again while it breaks would fail once more than it should.
    response.setHeader('connection', 'close');
    if (this.hasTags) response.setHeader('etag', etag);
    if (start > 0) response.setHeader('content-range', `bytes ${start}-${content.length - 1}/${content.length}`);
    response.writeHead(start > 0 ? 206 : 200, { 'content-length': content.length - start });
    if (mishap === undefined) return void response.end(content.subarray(start));
    response.write(content.subarray(start, mishap.hangAt));
  }

  /** The next mishap that can befall an answer from that byte on. */
  #mishapFrom(start: number): Mishap | undefined {
    const [next] = this.mishaps;
    if (next === undefined || ('hangAt' in next && start < next.hangAt)) return next;
    this.mishaps.shift();
    return 'status' in next ? next : this.#mishapFrom(start);
  }
}
