import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import { describe, expect, it } from 'vitest';
import type { Task } from '../../src/tasks/task.ts';
import type { ClaimedWebhook } from '../../src/tasks/webhook/webhook-repository.ts';
import { WebhookSender } from '../../src/tasks/webhook/webhook-sender.ts';
import { VirtualClock } from '../virtual-clock.ts';

/** Calls that are answered when they are let go. */
async function heldReceiver() {
  const held: ServerResponse[] = [];
  let isHolding = true;
  const server = createServer((request, response) => {
    request.resume();
    if (isHolding) held.push(response);
    else response.end();
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  const letGo = () => {
    isHolding = false;
    for (const response of held) response.end();
  };
  const dispose = async () => {
    letGo();
    server.close();
  };
  return { url: `http://127.0.0.1:${address.port}/`, letGo, [Symbol.asyncDispose]: dispose };
}

function finishedTask(id: string): Task {
  const now = new Date();
  const times = { createdAt: now, dueAt: now, startedAt: now, finishedAt: now, expiresAt: undefined };
  const none = { predictionId: undefined, error: undefined };
  const counts = { priority: 0, instances: 1, attempt: 1, retries: 0 };
  return { id, work: 'work', model: 'm', owner: '', state: 'succeeded', ...counts, ...none, ...times };
}

describe('a webhook', () => {
  it('that comes when as many wait as may is called when there is room, without a look for it', async () => {
    await using receiver = await heldReceiver();
    const clock = new VirtualClock();
    const waiting: ClaimedWebhook[] = [];
    const settled: string[] = [];
    const add = (count: number, name: string) => {
      for (let index = 0; index < count; index++)
        waiting.push({ task: finishedTask(`${name} ${index}`), url: receiver.url, fence: 1 });
    };
    const sender = new WebhookSender(
      { secret: 'a secret', allowPrivate: true },
      {
        repository: {
          claim: async (limit) => waiting.splice(0, limit),
          nextDueMs: async () => undefined,
          reclaim: async () => {},
          giveBack: async () => {},
          settle: async ({ id }) => void settled.push(id),
        },
        ...{ worker: 'w', clock, log: { warn: () => {} }, logError: () => {}, pollMs: 3_600_000, onLeft: () => {} },
      },
    );
    // Eight are being called, and the last claim brings fewer than it could.
    add(8 + 270, 'early');
    sender.wake();
    await clock.advance(0);
    expect(waiting).toEqual([]);
    add(1, 'late');
    sender.wake();
    await clock.advance(0);
    expect(waiting).toHaveLength(1);
    receiver.letGo();
    await expect.poll(() => settled).toContain('late 0');
    expect(settled).toHaveLength(279);
    await sender.close();
  });
});
