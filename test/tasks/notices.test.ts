import { once } from 'node:events';
import { createServer } from 'node:http';
import { json } from 'node:stream/consumers';
import { describe, expect, it, vi } from 'vitest';
import type { DeferredWork } from '../../src/serving/deferred-work.ts';
import type { Storage } from '../../src/storage/storage.ts';
import type { TaskOptions } from '../../src/tasks/new-task.ts';
import { TaskNotices } from '../../src/tasks/notices.ts';
import { TaskService } from '../../src/tasks/service.ts';
import { systemClock } from '../../src/timing/clock.ts';
import { databaseKinds, openStorage, type TestDatabase, temporaryDatabase } from '../helpers/database.ts';

const plenty = { tasks: 1000, bytes: 1e9 };
const viewer = { owner: '', seesAll: true, models: undefined };

/** A process as the notices know it, with everything that it has heard. */
async function newProcess(database: TestDatabase, name: string) {
  const storage = openStorage(database);
  await storage.whenReady();
  const heard = { queued: new Set<string>(), changed: new Set<string>(), delayed: 0, webhooks: 0, gaps: 0 };
  const notices = new TaskNotices({
    ...{ name, storage, clock: systemClock, log: { warn: () => {} } },
    onQueued: (ids) => ids.forEach((id) => void heard.queued.add(id)),
    onChanged: (ids) => ids.forEach((id) => void heard.changed.add(id)),
    onDelayed: () => {
      heard.delayed += 1;
    },
    onWebhooks: () => {
      heard.webhooks += 1;
    },
    onGap: () => {
      heard.gaps += 1;
    },
  });
  await expect.poll(() => heard.gaps).toBe(1);
  const close = async () => {
    await notices.close();
    await storage.close();
  };
  return { notices, heard, storage, [Symbol.asyncDispose]: close };
}

describe.runIf(databaseKinds.includes('postgres'))('processes on one Postgres', () => {
  it('hear from each other, and not from themselves', async () => {
    await using database = await temporaryDatabase('postgres');
    await using one = await newProcess(database, 'one');
    await using other = await newProcess(database, 'other');
    one.notices.tellQueued('queued');
    for (const id of ['changed', 'also', 'changed']) one.notices.tellChanged(id);
    await expect.poll(() => [...other.heard.changed]).toEqual(['changed', 'also']);
    expect([...other.heard.queued]).toEqual(['queued']);
    expect([...one.heard.queued, ...one.heard.changed]).toEqual([]);
    expect([one.heard.gaps, other.heard.gaps]).toEqual([1, 1]);
  });

  it('hear of webhooks, and of what waits for its time', async () => {
    await using database = await temporaryDatabase('postgres');
    await using one = await newProcess(database, 'one');
    await using other = await newProcess(database, 'other');
    one.notices.tellDelayed();
    await expect.poll(() => [other.heard.delayed, other.heard.webhooks]).toEqual([1, 0]);
    one.notices.tellWebhooks();
    await expect.poll(() => [other.heard.delayed, other.heard.webhooks]).toEqual([1, 1]);
    expect([one.heard.delayed, one.heard.webhooks, other.heard.gaps]).toEqual([0, 0, 1]);
  });

  it('hear that there was more than could be told', async () => {
    await using database = await temporaryDatabase('postgres');
    await using one = await newProcess(database, 'one');
    await using other = await newProcess(database, 'other');
    const ids = Array.from({ length: 500 }, (_, index) => `01a1fe59-a1c0-74b5-9d6e-${String(index).padStart(12, '0')}`);
    for (const id of ids) {
      one.notices.tellQueued(id);
      one.notices.tellChanged(id);
    }
    await expect.poll(() => other.heard.gaps).toBe(2);
    expect(other.heard.queued.size).toBeGreaterThan(0);
    // What was told last is heard last: nothing of the many is left over.
    one.notices.tellChanged('last');
    await expect.poll(() => [...other.heard.changed].at(-1)).toBe('last');
    expect(other.heard.gaps).toBe(2);
  });

  it('hear that there was more when something could not be told', async () => {
    await using database = await temporaryDatabase('postgres');
    await using one = await newProcess(database, 'one');
    await using other = await newProcess(database, 'other');
    const use = vi.spyOn(one.storage, 'use').mockRejectedValueOnce(new Error('no connection'));
    one.notices.tellDelayed();
    await expect.poll(() => other.heard.gaps).toBe(2);
    expect([other.heard.delayed, use.mock.calls.length]).toEqual([0, 2]);
  });

  it('hear last that a task waits again which had just begun', async () => {
    await using database = await temporaryDatabase('postgres');
    await using one = await newProcess(database, 'one');
    await using other = await newProcess(database, 'other');
    // What follows is told together.
    one.notices.tellQueued('first');
    one.notices.tellChanged('again');
    one.notices.tellQueued('again');
    await expect.poll(() => [...other.heard.queued]).toEqual(['first', 'again']);
    expect([...other.heard.changed]).toEqual([]);
  });

  it('do not mind what others say there', async () => {
    await using database = await temporaryDatabase('postgres');
    await using one = await newProcess(database, 'one');
    await using other = await newProcess(database, 'other');
    for (const text of ['', 'no JSON', '[]', 'later-version {"queued":7}'])
      await one.storage.use(({ pool }) => pool.query('SELECT pg_notify($1, $2)', ['inferd_tasks', text]));
    one.notices.tellChanged('changed');
    await expect.poll(() => [...other.heard.changed]).toEqual(['changed']);
  });

  it('begin, tell of and stop each other’s tasks without looking for them, also after they lost their connections', async () => {
    await using database = await temporaryDatabase('postgres');
    await using server = await newService(database, 0);
    await using worker = await newService(database, 1);
    let cut: readonly number[] = [];
    for (let round = 0; round < 2; round++) {
      await expect.poll(() => listeners(server.storage, cut)).toHaveLength(2);
      const states: string[] = [];
      for await (const task of server.follow('answer')) states.push(task.state);
      expect(states.at(-1)).toBe('succeeded');

      for await (const task of server.follow('wait')) if (task.state === 'running') await server.cancel(task.id);
      await expect.poll(() => worker.aborted.length).toBe(round + 1);

      cut = await cutListeners(server.storage);
    }
  });

  it('begin each other’s tasks when their delay is over, and call the webhooks of their ends', async () => {
    await using database = await temporaryDatabase('postgres');
    await using hook = await receiver();
    await using server = await newService(database, 0, 30_000);
    await using worker = await newService(database, 1, 30_000);
    await expect.poll(() => listeners(worker.storage, [])).toHaveLength(2);
    const states: string[] = [];
    for await (const task of server.follow('answer', { delaySeconds: 2, webhook: hook.url })) states.push(task.state);
    expect(states.at(-1)).toBe('succeeded');
    await expect.poll(() => hook.calls).toEqual(['task.succeeded']);

    for await (const task of server.follow('answer', { delaySeconds: 3600, webhook: hook.url }))
      if (task.state === 'queued') await server.cancel(task.id);
    await expect.poll(() => hook.calls).toEqual(['task.succeeded', 'task.cancelled']);
  });
});

/** A server that is called by webhooks, and the types of what it was told. */
async function receiver() {
  const calls: string[] = [];
  const server = createServer(async (request, response) => {
    calls.push(((await json(request)) as { type: string }).type);
    response.end();
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  const dispose = async () => void server.close();
  return { calls, url: `http://127.0.0.1:${address.port}/`, [Symbol.asyncDispose]: dispose };
}

/** A clock on which only what is due soon happens: nothing is found by polling. */
const impatientClock = (longestMs: number) => ({
  now: () => systemClock.now(),
  setTimer: (delayMs: number, callback: () => void) =>
    delayMs < longestMs ? systemClock.setTimer(delayMs, callback) : () => {},
});

/** The tasks of a process, with one work that ends by itself, and one that does not. */
async function newService({ databaseUrl, dataDir }: TestDatabase, concurrency: number, longestMs = 500) {
  const storage = openStorage({ databaseUrl, dataDir });
  const aborted: string[] = [];
  const answer: DeferredWork = {
    name: 'answer',
    run: () => Promise.resolve({ result: 'answer', predictionId: undefined }),
  };
  const wait: DeferredWork = {
    name: 'wait',
    run: async (_input, { requestId, signal }) => {
      await once(signal, 'abort');
      aborted.push(requestId);
      throw signal.reason;
    },
  };
  const webhooks = { secret: 'a secret', allowPrivate: true };
  const settings = {
    concurrency,
    leaseMs: 3_600_000,
    pollMs: 60_000,
    resultTtlSeconds: 60,
    maxResultBytes: 1000,
    quota: { ofCaller: plenty, inAll: plenty },
    webhooks,
  };
  const log = { info: () => {}, warn: () => {}, error: () => {} };
  const works = [answer, wait];
  const service = new TaskService(settings, {
    storage,
    works,
    clock: impatientClock(longestMs),
    lastOnlineMs: () => 0,
    log,
  });
  service.start();
  const everything = { state: undefined, model: undefined, before: undefined, limit: 1 };
  await vi.waitFor(() => service.list(everything, viewer), { timeout: 50_000 });
  const options = { priority: 0, delaySeconds: 0, retries: 0, ttlSeconds: undefined, webhook: undefined };
  return {
    storage,
    aborted,
    cancel: (id: string) => service.cancel(id, viewer),
    /** Hands in a task, and tells of its states. */
    async *follow(work: string, wishes: Partial<TaskOptions> = {}) {
      const order = { work, model: 'none', input: undefined, instances: 1 };
      const { id } = await service.submit(order, { ...options, idempotencyKey: undefined, ...wishes }, undefined);
      yield* service.follow(id, viewer, AbortSignal.timeout(50_000));
    },
    async [Symbol.asyncDispose]() {
      await service.drain();
      await service.close();
      await storage.close();
    },
  };
}

/** Processes of the database for connections that listen, but for those. */
async function listeners(storage: Storage, others: readonly number[]): Promise<number[]> {
  const { rows } = await storage.use(({ pool }) =>
    pool.query<{ pid: number }>(
      `SELECT pid FROM pg_stat_activity
       WHERE datname = current_database() AND query LIKE 'LISTEN%' AND pid <> ALL ($1)`,
      [others],
    ),
  );
  return rows.map(({ pid }) => pid);
}

/** Ends the connections by which processes hear of each other. */
async function cutListeners(storage: Storage): Promise<number[]> {
  const pids = await listeners(storage, []);
  await storage.use(({ pool }) => pool.query('SELECT pg_terminate_backend(pid) FROM unnest($1::int[]) AS pid', [pids]));
  return pids;
}
