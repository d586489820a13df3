import { readFileSync } from 'node:fs';
import type { Server, Socket } from 'node:net';

interface BoundServer {
  readonly server: Server;
  /** Most connections of this server alone. */
  readonly most: number;
  count: number;
}

/** Part of the files that a process may open that its connections may be. */
const shareOfFiles = 3 / 4;

/** How many connections all servers of the program may have together: each is an open file, and without one no connection is accepted. */
export class ConnectionBound {
  readonly #most: number;
  readonly #servers: BoundServer[] = [];

  /** @param most unlimited where undefined */
  constructor(most: number = Number.POSITIVE_INFINITY) {
    this.#most = most;
  }

  /**
   * Has the server close what is more.
   *
   * @param share part of all connections that may be of this server. @default 1
   */
  add(server: Server, share = 1): void {
    if (this.#most === Number.POSITIVE_INFINITY) return;
    const bound: BoundServer = { server, most: Math.max(1, Math.floor(this.#most * share)), count: 0 };
    this.#servers.push(bound);
    server.on('connection', (socket: Socket) => {
      bound.count += 1;
      this.#divide();
      socket.once('close', () => {
        bound.count -= 1;
        this.#divide();
      });
    });
    server.once('close', () => {
      this.#servers.splice(this.#servers.indexOf(bound), 1);
      this.#divide();
    });
    this.#divide();
  }

  #divide(): void {
    const all = this.#servers.reduce((sum, { count }) => sum + count, 0);
    for (const { server, most, count } of this.#servers) {
      server.maxConnections = Math.min(most, this.#most - (all - count));
    }
  }
}

/** As many connections as leave files for everything else; undefined where the system does not say how many there may be. */
export function connectionsThatFit(): number | undefined {
  try {
    const limit = /^Max open files\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1];
    return limit === undefined ? undefined : Math.max(1, Math.floor(Number(limit) * shareOfFiles));
  } catch {
    return undefined;
  }
}
