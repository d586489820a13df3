import { setTimeout as sleep } from 'node:timers/promises';
import { HttpConnection } from './http-connection.ts';
import { encodeRequest, type HttpRequest } from './http-request.ts';

export interface OpenLoop {
  readonly url: string;
  /** Sent in turn. */
  readonly requests: readonly HttpRequest[];
  readonly perSecond: number;
  readonly seconds: number;
  /** Requests that may be under way at once; those beyond wait, and the wait counts as latency. */
  readonly maxConnections?: number;
}

export interface Reply {
  /** HTTP status; 0 if the connection broke. */
  readonly status: number;
  /** From the moment at which the request was meant to be sent. */
  readonly latencyMs: number;
  /** How much later than meant it was sent: the generator's own fault, or that of `maxConnections`. */
  readonly sendLagMs: number;
}

export interface OpenLoopResult {
  readonly replies: readonly Reply[];
  readonly connections: number;
}

const drainMs = 10_000;

/**
 * Sends at a fixed rate, whatever the server does, and measures from the intended moment, so that a server that stalls
 * cannot make the generator wait with it (the error known as coordinated omission).
 */
export async function openLoop(load: OpenLoop): Promise<OpenLoopResult> {
  const { hostname, port, host } = new URL(load.url);
  const encoded = load.requests.map((request) => encodeRequest(request, host));
  const maxConnections = load.maxConnections ?? 2048;
  const total = Math.round(load.perSecond * load.seconds);
  const replies: Reply[] = [];
  const open = new Set<HttpConnection>();
  const idle: HttpConnection[] = [];
  const waiting: number[] = [];
  let connections = 0;

  const startMs = performance.now();
  const meantMs = (index: number) => startMs + (index * 1000) / load.perSecond;

  const send = async (index: number, connection: HttpConnection): Promise<void> => {
    const sendLagMs = performance.now() - meantMs(index);
    const request = encoded[index % encoded.length] ?? Buffer.alloc(0);
    const status = await connection.send(request).catch(() => 0);
    replies.push({ status, latencyMs: performance.now() - meantMs(index), sendLagMs });
    if (!connection.usable) {
      connections--;
      open.delete(connection);
      return;
    }
    const next = waiting.shift();
    if (next === undefined) idle.push(connection);
    else await send(next, connection);
  };

  const dispatch = async (index: number): Promise<void> => {
    const connection = takeUsable(idle);
    if (connection !== undefined) return send(index, connection);
    if (connections >= maxConnections) {
      waiting.push(index);
      return;
    }
    connections++;
    try {
      const opened = await HttpConnection.open(Number(port), hostname);
      open.add(opened);
      await send(index, opened);
    } catch {
      connections--;
      replies.push({ status: 0, latencyMs: performance.now() - meantMs(index), sendLagMs: 0 });
    }
  };

  for (let index = 0; index < total; ) {
    const dueBy = performance.now();
    for (; index < total && meantMs(index) <= dueBy; index++) void dispatch(index);
    await sleep(1);
  }
  const drainedBy = performance.now() + drainMs;
  while (replies.length < total && performance.now() < drainedBy) await sleep(5);
  const result = { replies: [...replies, ...unanswered(total - replies.length)], connections };
  for (const connection of open) connection.close();
  return result;
}

function takeUsable(idle: HttpConnection[]): HttpConnection | undefined {
  for (let connection = idle.pop(); connection !== undefined; connection = idle.pop()) {
    if (connection.usable) return connection;
  }
  return undefined;
}

function unanswered(count: number): Reply[] {
  return Array.from({ length: count }, () => ({ status: 0, latencyMs: drainMs, sendLagMs: 0 }));
}
