import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/** A socket as the HTTP server of Node.js marks it while it must not be read: at the end of every request it would go on. */
type HttpSocket = Socket & { _paused?: boolean; readonly parser?: { resume(): void } | null };

/** The answer that a connection owes, and the requests that came behind it. */
interface Turn {
  owed: ServerResponse;
  readonly waiting: [IncomingMessage, ServerResponse][];
}

/**
 * Hands on the requests of a connection one after the other: the next one when the answer before it has been written. Node.js
 * hands on every request that is pipelined at once, and keeps the answers until the client reads, so that 34 KB of requests
 * could make 300 predictions and hold all of their answers. While requests wait, nothing more is read.
 */
export function oneAtATime(handler: RequestListener): RequestListener {
  const turns = new WeakMap<Socket, Turn>();
  const handOn = (turn: Turn, socket: Socket) => {
    const next = turn.waiting.shift();
    if (next === undefined || socket.destroyed) return;
    const [request, response] = next;
    turn.owed = response;
    if (turn.waiting.length > 0) response.once('close', () => handOn(turn, socket));
    // The last one may not be here in full.
    else goOn(socket);
    handler(request, response);
  };
  return (request, response) => {
    const { socket } = request;
    const turn = turns.get(socket);
    if (turn === undefined) {
      turns.set(socket, { owed: response, waiting: [] });
    } else if (turn.waiting.length > 0 || isOwed(turn.owed)) {
      if (turn.waiting.length === 0) turn.owed.once('close', () => handOn(turn, socket));
      turn.waiting.push([request, response]);
      hold(socket);
      return;
    } else {
      turn.owed = response;
    }
    handler(request, response);
  };
}

function hold(socket: HttpSocket): void {
  socket._paused = true;
  socket.pause();
}

function goOn(socket: HttpSocket): void {
  socket._paused = false;
  socket.parser?.resume();
  socket.resume();
}

function isOwed(response: ServerResponse): boolean {
  return !response.writableFinished && !response.destroyed;
}
