import { Readable } from 'node:stream';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { whenClientIsGone } from '../http/client-signal.ts';
import { describeTask } from './schemas.ts';
import type { TaskService } from './service.ts';
import type { Task } from './task.ts';
import { isFinal } from './task.ts';
import { stateKey } from './task-watch.ts';
import { viewerOf } from './viewer.ts';

/** Proxies close connections on which nothing comes for a minute or so. */
const heartbeatMs = 15_000;

/** Answers with the changes of a task as they come; to HEAD with the same headers, and at once. */
export async function sendTaskEvents(
  tasks: Pick<TaskService, 'follow' | 'get'>,
  id: string,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply> {
  reply.type('text/event-stream').header('cache-control', 'no-store');
  if (request.method === 'HEAD') {
    await tasks.get(id, viewerOf(request));
    return reply.send(Readable.from([]));
  }
  const gone = whenClientIsGone(reply);
  const changes = tasks.follow(id, viewerOf(request), gone);
  // A task that is not there is an answer of its own.
  const first = await changes.next();
  const lastEventId = request.headers['last-event-id'];
  const stream = new Readable({ read: () => {} });
  const heartbeat = setInterval(() => stream.push(':\n\n'), heartbeatMs);
  const known = new Set([lastEventId]);
  const write = (task: Task) => {
    if (!known.has(stateKey(task))) stream.push(eventText(task));
    known.add(stateKey(task));
  };
  const writeAll = async () => {
    if (first.done === true) return;
    write(first.value);
    if (isFinal(first.value.state)) return;
    for await (const task of changes) write(task);
  };
  void writeAll()
    .catch(() => {})
    .finally(() => {
      clearInterval(heartbeat);
      stream.push(null);
    });
  return reply.send(stream);
}

function eventText(task: Task): string {
  return `id: ${stateKey(task)}\nevent: ${task.state}\ndata: ${JSON.stringify(describeTask(task))}\n\n`;
}
