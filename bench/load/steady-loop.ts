import { setTimeout as sleep } from 'node:timers/promises';
import { HttpConnection } from './http-connection.ts';
import { encodeRequest, type HttpRequest } from './http-request.ts';

export interface SteadyLoop {
  readonly url: string;
  /** Sent in turn. */
  readonly requests: readonly HttpRequest[];
  readonly connections: number;
  /** Requests a second of all connections together; infinity: each is sent when the one before is answered. */
  readonly perSecond: number;
  /** Ends the load. */
  readonly signal: AbortSignal;
}

/** What came of a load; it grows while the load goes on. */
export interface Counts {
  answered: number;
  /** Replies of another status than 200, and requests without a reply, by what came instead. */
  readonly failed: Map<string, number>;
}

/** Sends at a fixed rate for as long as it takes, and keeps nothing of the replies but their number. */
export async function steadyLoop(load: SteadyLoop, counts: Counts): Promise<void> {
  const { hostname, port, host } = new URL(load.url);
  const encoded = load.requests.map((request) => encodeRequest(request, host));
  const startMs = performance.now();
  let sent = 0;

  const run = async () => {
    let connection = await HttpConnection.open(Number(port), hostname);
    while (!load.signal.aborted) {
      const dueMs = startMs + (sent * 1000) / load.perSecond;
      const request = encoded[sent % encoded.length] ?? Buffer.alloc(0);
      sent += 1;
      const waitMs = dueMs - performance.now();
      if (waitMs > 0) await sleep(waitMs);
      if (load.signal.aborted) break;
      const status = await connection.send(request).catch((error: Error) => error.message);
      if (status === 200) counts.answered += 1;
      else counts.failed.set(String(status), (counts.failed.get(String(status)) ?? 0) + 1);
      if (!connection.usable) connection = await HttpConnection.open(Number(port), hostname);
    }
    connection.close();
  };
  await Promise.all(Array.from({ length: load.connections }, run));
}
