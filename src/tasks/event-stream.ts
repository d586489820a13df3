import { Readable } from 'node:stream';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { whenClientIsGone } from '../http/terms/client-signal.ts';
import { describeTask } from './schemas.ts';
import type { TaskService } from './service.ts';
import type { Task } from './task.ts';
import { isFinal } from './task.ts';
import { stateKey } from './task-watch.ts';
import { viewerOf } from './viewer.ts';

/** How often to look whether the key that follows is still valid. */
const keyCheckMs = 1000;
/** Proxies close connections on which nothing comes for a minute or so. */
const heartbeatMs = 15_000;

/** Answers with the changes of a task as they come, as long as the key is valid; to HEAD with the same headers, and at once. */
export async function sendTaskEvents(
  tasks: Pick<TaskService, 'follow' | 'get'>,
  id: string,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply> {
  // A connection that were kept after the stream would keep a server open that stops meanwhile.
  reply.type('text/event-stream').header('cache-control', 'no-store').header('connection', 'close');
  if (request.method === 'HEAD') {
    await tasks.get(id, viewerOf(request));
    return reply.send(Readable.from([]));
  }
  const refused = new AbortController();
  const mayFollow = () => request.server.stillAllows(request);
  const changes = tasks.follow(id, viewerOf(request), AbortSignal.any([whenClientIsGone(reply), refused.signal]));
  // A task that is not there is an answer of its own.
  const first = await changes.next();
  const lastEventId = request.headers['last-event-id'];
  const stream = new Readable({ read: () => {} });
  const heartbeat = setInterval(() => stream.push(':\n\n'), heartbeatMs);
  const keyCheck = setInterval(() => {
    if (!mayFollow()) refused.abort();
  }, keyCheckMs);
  const known = new Set([lastEventId]);
  const write = (task: Task) => {
    if (!known.has(stateKey(task))) stream.push(eventText(task));
    known.add(stateKey(task));
  };
  const writeAll = async () => {
    if (first.done === true) return;
    write(first.value);
    if (isFinal(first.value.state)) return;
    for await (const task of changes) {
      if (!mayFollow()) return;
      write(task);
    }
  };
  void writeAll()
    .catch(() => {})
    .finally(() => {
      clearInterval(heartbeat);
      clearInterval(keyCheck);
      stream.push(null);
    });
  return reply.send(stream);
}

function eventText(task: Task): string {
  return `id: ${stateKey(task)}\nevent: ${task.state}\ndata: ${JSON.stringify(describeTask(task))}\n\n`;
}
