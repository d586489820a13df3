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

/** A sender that would look for webhooks once an hour, those that wait for it, and those that have been settled. */
function newSender() {
  const clock = new VirtualClock();
  const waiting: ClaimedWebhook[] = [];
  const settled: string[] = [];
  const repository = {
    claim: async (limit: number) => waiting.splice(0, limit),
    nextDueMs: async () => undefined,
    reclaim: async () => {},
    giveBack: async () => {},
    settle: async ({ id }: { readonly id: string }) => void settled.push(id),
  };
  const log = { log: { warn: () => {} }, logError: () => {} };
  const sender = new WebhookSender(
    { secret: 'a secret', allowPrivate: true },
    { repository, worker: 'w', clock, ...log, pollMs: 3_600_000, onLeft: () => {} },
  );
  const add = (count: number, name: string, url: string) => {
    for (let index = 0; index < count; index++) waiting.push({ task: finishedTask(`${name} ${index}`), url, fence: 1 });
    sender.wake();
    return clock.advance(0);
  };
  return { sender, waiting, settled, add };
}

describe('a webhook', () => {
  it('that comes when as many wait as may is called when there is room, without a look for it', async () => {
    await using receiver = await heldReceiver();
    const { sender, waiting, settled, add } = newSender();
    // Eight are being called, and the last claim brings fewer than it could.
    await add(8 + 270, 'early', receiver.url);
    expect(waiting).toEqual([]);
    await add(1, 'late', receiver.url);
    expect(waiting).toHaveLength(1);
    receiver.letGo();
    await expect.poll(() => settled).toContain('late 0');
    expect(settled).toHaveLength(279);
    await sender.close();
  });

  it('does not wait for those to a receiver that says nothing', async () => {
    await using silent = await heldReceiver();
    await using receiver = await heldReceiver();
    receiver.letGo();
    const { sender, settled, add } = newSender();
    await add(64, 'silent', silent.url);
    for (let count = 1; count <= 3; count++) {
      await add(1, `answered ${count}`, receiver.url);
      await expect.poll(() => settled).toHaveLength(count);
    }
    expect(settled).toEqual(['answered 1 0', 'answered 2 0', 'answered 3 0']);
    silent.letGo();
    await expect.poll(() => settled).toHaveLength(67);
    await sender.close();
  });
});
