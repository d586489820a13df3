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
  /** When it was meant to be sent, from the start of the load. */
  readonly meantMs: number;
  /** HTTP status; 0 if no reply came. */
  readonly status: number;
  /** From `meantMs`. */
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
  const meantMs = (index: number) => (index * 1000) / load.perSecond;
  const total = Math.round(load.perSecond * load.seconds);
  const replies = Array.from({ length: total }, (_, index) => unanswered(meantMs(index)));
  let answered = 0;

  const connections = new Set<HttpConnection>();
  const idle: HttpConnection[] = [];
  const waiting: number[] = [];
  let opening = 0;

  const startMs = performance.now();
  const elapsedMs = () => performance.now() - startMs;

  const send = async (index: number, connection: HttpConnection): Promise<void> => {
    const sendLagMs = elapsedMs() - meantMs(index);
    const request = encoded[index % encoded.length] ?? Buffer.alloc(0);
    const status = await connection.send(request).catch(() => 0);
    replies[index] = { meantMs: meantMs(index), status, latencyMs: elapsedMs() - meantMs(index), sendLagMs };
    answered++;
    if (!connection.usable) connections.delete(connection);
    else idle.push(connection);
    const next = waiting.shift();
    if (next !== undefined) await dispatch(next);
  };

  const dispatch = async (index: number): Promise<void> => {
    const connection = takeUsable(idle);
    if (connection !== undefined) return send(index, connection);
    if (connections.size + opening >= maxConnections) {
      waiting.push(index);
      return;
    }
    opening++;
    const opened = await HttpConnection.open(Number(port), hostname).catch(() => undefined);
    opening--;
    if (opened === undefined) {
      answered++;
      return;
    }
    connections.add(opened);
    await send(index, opened);
  };

  for (let index = 0; index < total; ) {
    const dueMs = elapsedMs();
    for (; index < total && meantMs(index) <= dueMs; index++) void dispatch(index);
    await sleep(1);
  }
  const drainedByMs = elapsedMs() + drainMs;
  while (answered < total && elapsedMs() < drainedByMs) await sleep(5);
  const result = { replies: [...replies], connections: connections.size };
  for (const connection of connections) connection.close();
  return result;
}

function takeUsable(idle: HttpConnection[]): HttpConnection | undefined {
  for (let connection = idle.pop(); connection !== undefined; connection = idle.pop()) {
    if (connection.usable) return connection;
  }
  return undefined;
}

function unanswered(meantMs: number): Reply {
  return { meantMs, status: 0, latencyMs: drainMs, sendLagMs: 0 };
}
