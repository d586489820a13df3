import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';

/** What a network does with what is sent through it. */
export type Network = 'working' | 'refusing' | 'silent';

/** A way to a server that can be cut: `refusing` ends connections and takes none; `silent` takes them and passes nothing on. */
export class TcpProxy implements AsyncDisposable {
  readonly #target: URL;
  readonly #pairs = new Set<readonly [Socket, Socket]>();
  #server: Server = createServer();
  #network: Network = 'working';
  #port = 0;

  private constructor(target: URL) {
    this.#target = target;
  }

  /** Listens on a free port, in front of the server of a URL. */
  static async start(target: URL): Promise<TcpProxy> {
    const proxy = new TcpProxy(target);
    await proxy.#listen();
    return proxy;
  }

  /** The URL of the server, by the way through here. */
  get url(): string {
    const url = new URL(this.#target);
    url.hostname = '127.0.0.1';
    url.port = String(this.#port);
    return url.href;
  }

  /** Changes what becomes of the connections that there are, and of new ones. */
  async become(network: Network): Promise<void> {
    const before = this.#network;
    this.#network = network;
    if (network === 'refusing') await this.#close();
    else if (before === 'refusing') await this.#listen();
    for (const pair of this.#pairs) this.#apply(pair);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.become('refusing');
  }

  async #listen(): Promise<void> {
    this.#server = createServer((client) => {
      const pair = [client, connect(Number(this.#target.port), this.#target.hostname)] as const;
      this.#pairs.add(pair);
      for (const [from, to] of [pair, pair.toReversed()] as const) {
        from?.on('data', (bytes) => to?.write(bytes));
        from?.on('error', () => {});
        from?.on('close', () => {
          to?.destroy();
          this.#pairs.delete(pair);
        });
      }
      this.#apply(pair);
    });
    this.#server.listen(this.#port, '127.0.0.1');
    await once(this.#server, 'listening');
    const address = this.#server.address();
    if (address === null || typeof address === 'string') throw new Error('no port');
    this.#port = address.port;
  }

  async #close(): Promise<void> {
    if (!this.#server.listening) return;
    const closed = once(this.#server.close(), 'close');
    for (const sockets of this.#pairs) for (const socket of sockets) socket.destroy();
    await closed;
  }

  #apply(sockets: readonly Socket[]): void {
    for (const socket of sockets) {
      if (this.#network === 'silent') socket.pause();
      else socket.resume();
    }
  }
}
