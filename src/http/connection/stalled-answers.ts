import type { Server } from 'node:http';
import type { Socket } from 'node:net';

/** A socket as the HTTP server of Node.js marks it while it owes an answer. */
type HttpSocket = Socket & { readonly _httpMessage?: unknown };

/**
 * Closes a connection whose client has read nothing of what is written for so long. Node.js tells of connections on which
 * nothing moves: one that waits for a prediction, or sends slowly, is left to the times that hold for those.
 */
export function closeStalled(server: Server, stallTimeoutMs: number): void {
  server.timeout = stallTimeoutMs;
  server.on('timeout', (socket: HttpSocket) => {
    const waitsForAnswer = socket._httpMessage !== undefined && socket._httpMessage !== null;
    if (waitsForAnswer && socket.writableLength === 0) socket.setTimeout(stallTimeoutMs);
    else socket.destroy();
  });
}
