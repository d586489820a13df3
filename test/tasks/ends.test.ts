import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { serialize } from 'node:v8';
import { sql } from 'kysely';
import { describe, expect, it, vi } from 'vitest';
import type { DeferredResult } from '../../src/serving/deferred-work.ts';
import type { Storage } from '../../src/storage/storage.ts';
import { storageUnavailable } from '../../src/storage/storage-error.ts';
import { newTimeOrderedId } from '../../src/storage/time-ordered-id.ts';
import { TaskRepository } from '../../src/tasks/repository/task-repository.ts';
import type { NewTask } from '../../src/tasks/task.ts';
import { TaskWorker } from '../../src/tasks/worker/task-worker.ts';
import { systemClock } from '../../src/timing/clock.ts';
import { databaseKinds } from '../helpers/database.ts';
import { sharedStorage } from '../helpers/shared-storage.ts';

const largeBytes = 300 * 1024;
const plenty = { tasks: 1000, bytes: 1e9 };

function newTask(): NewTask {
  return {
    id: newTimeOrderedId(Date.now()),
    work: 'wait',
    model: 'iris',
    owner: '',
    ownerName: '',
    priority: 0,
    delaySeconds: 0,
    instances: 1,
    retries: 0,
    idempotencyKey: undefined,
    fingerprint: Buffer.from('it'),
    inputBytes: 10,
    input: serialize('it'),
    webhook: undefined,
    ttlSeconds: 60,
  };
}

function openRepository(storage: Storage) {
  const limits = { ofCaller: plenty, inAll: plenty };
  const repository = new TaskRepository(storage, { limits, clock: systemClock });
  return Object.assign(repository, { [Symbol.asyncDispose]: () => repository.close() });
}

/** A worker whose work is done when the test says so. */
function startWorker(repository: TaskRepository) {
  const begun = Promise.withResolvers<void>();
  const done = Promise.withResolvers<DeferredResult>();
  const run = () => {
    begun.resolve();
    return done.promise;
  };
  const worker = new TaskWorker(
    {
      name: 'tester',
      concurrency: 4,
      leaseMs: 60_000,
      pollMs: 20,
      maxResultBytes: 1_000_000,
      works: new Map([['wait', { name: 'wait', run }]]),
    },
    {
      repository,
      clock: systemClock,
      lastOnlineMs: () => Number.NEGATIVE_INFINITY,
      random: Math.random,
      log: { warn: () => {}, error: () => {} },
      logError: () => {},
      onChange: () => {},
    },
  );
  return {
    begun: begun.promise,
    finish: (result: unknown) => done.resolve({ result, predictionId: undefined }),
    [Symbol.asyncDispose]: () => worker.close(0),
  };
}

const fillDisk = (storage: Storage) =>
  storage.use(async ({ db }) => {
    await sql`CREATE FUNCTION inferd.refuse() RETURNS trigger LANGUAGE plpgsql AS
      $$ BEGIN RAISE EXCEPTION 'could not extend file' USING ERRCODE = '53100'; END $$`.execute(db);
    await sql`CREATE TRIGGER full_disk BEFORE INSERT OR UPDATE ON inferd.tasks EXECUTE FUNCTION inferd.refuse()`.execute(
      db,
    );
  });

const makeRoom = (storage: Storage) => storage.use(({ db }) => sql`DROP TRIGGER full_disk ON inferd.tasks`.execute(db));

describe.each(databaseKinds)('the end of a task on %s', (kind) => {
  const emptyStorage = sharedStorage(kind);

  it('waits for room, and is then kept once', async () => {
    const storage = emptyStorage();
    await using repository = openRepository(storage);
    const { id } = await repository.submit(newTask(), undefined);
    await using worker = startWorker(repository);
    await worker.begun;
    await fillDisk(storage);
    const finish = vi.spyOn(repository, 'finish');
    worker.finish('done');
    await expect.poll(() => finish.mock.calls.length).toBeGreaterThan(1);
    await expect(repository.submit(newTask(), undefined)).rejects.toMatchObject({ code: 'STORAGE_FULL' });
    expect(await repository.find([id])).toMatchObject([{ state: 'running' }]);
    await makeRoom(storage);
    await expect.poll(() => repository.find([id])).toMatchObject([{ state: 'succeeded', attempt: 1 }]);
  });

  it('may be given again when nobody knows whether it was kept', async () => {
    const storage = emptyStorage();
    await using repository = openRepository(storage);
    const { id } = await repository.submit(newTask(), undefined);
    await repository.claim(1, { worker: 'tester', leaseMs: 60_000 });
    const result = Buffer.alloc(largeBytes, 'r');
    const end = { id, attempt: 1, state: 'succeeded' as const, result, predictionId: undefined, error: undefined };
    expect(await repository.finish(end)).toBe(true);
    expect(await repository.finish(end)).toBe(true);
    expect((await repository.findResult(id))?.result).toEqual(result);
    expect(await repository.finish({ ...end, attempt: 2 })).toBe(false);
  });
});

describe('on an embedded database', () => {
  const emptyStorage = sharedStorage('embedded');

  it('what a worker has done while it was away counts', async () => {
    const storage = emptyStorage();
    await using repository = openRepository(storage);
    const { id } = await repository.submit(newTask(), undefined);
    await using worker = startWorker(repository);
    await worker.begun;
    process.kill(storage.pid ?? 0, 'SIGKILL');
    await expect.poll(() => storage.state).toBe('unavailable');
    worker.finish('done');
    await storage.whenReady();
    await expect.poll(() => repository.find([id])).toMatchObject([{ state: 'succeeded', attempt: 1 }]);
  });

  it('a large input stays as long as its task may be kept', async () => {
    const storage = emptyStorage();
    await using repository = openRepository(storage);
    // The first one has what waits counted.
    await repository.submit(newTask(), undefined);
    const { use } = storage;
    const losesAnswer: Storage['use'] = async (work) => {
      await use.call(storage, work);
      throw storageUnavailable('the answer was lost');
    };
    vi.spyOn(storage, 'use').mockImplementationOnce(losesAnswer);
    const task = { ...newTask(), input: undefined };
    const input = Buffer.alloc(largeBytes, 'i');
    await expect(repository.submit(task, input)).rejects.toMatchObject({ code: 'STORAGE_UNAVAILABLE' });
    await repository.sweepValues();
    expect(await repository.values.read(task.id, 'input')).toEqual(input);
  });

  it('a large input whose task is not kept is removed, at once where that is known', async () => {
    const storage = emptyStorage();
    await using repository = openRepository(storage);
    const file = (id: string) => join(storage.dataDir, 'tasks', `${id}.input`);
    const input = Buffer.alloc(largeBytes, 'i');
    const refused = { ...newTask(), input: undefined };
    await fillDisk(storage);
    await expect(repository.submit(refused, input)).rejects.toMatchObject({ code: 'STORAGE_FULL' });
    expect(existsSync(file(refused.id))).toBe(false);

    const unknown = { ...newTask(), input: undefined };
    vi.spyOn(storage, 'use').mockRejectedValueOnce(storageUnavailable('it is gone'));
    await expect(repository.submit(unknown, input)).rejects.toMatchObject({ code: 'STORAGE_UNAVAILABLE' });
    expect(existsSync(file(unknown.id))).toBe(true);
    await repository.sweepValues();
    expect(existsSync(file(unknown.id))).toBe(false);
  });

  it('a large input that is just arriving is not swept', async () => {
    const storage = emptyStorage();
    await using repository = openRepository(storage);
    const { use } = storage;
    const sweepsBefore: Storage['use'] = async (work) => {
      await repository.sweepValues();
      return use.call(storage, work) as ReturnType<typeof work>;
    };
    vi.spyOn(storage, 'use').mockImplementationOnce(sweepsBefore);
    const task = { ...newTask(), input: undefined };
    const input = Buffer.alloc(largeBytes, 'i');
    await repository.submit(task, input);
    expect(await repository.values.read(task.id, 'input')).toEqual(input);
  });

  it('a large input that cannot be written is refused for now', async () => {
    const storage = emptyStorage();
    await using repository = openRepository(storage);
    await mkdir(storage.dataDir, { recursive: true });
    await writeFile(join(storage.dataDir, 'tasks'), 'in the way');
    const submitted = repository.submit({ ...newTask(), input: undefined }, Buffer.alloc(largeBytes));
    await expect(submitted).rejects.toMatchObject({ code: 'STORAGE_UNAVAILABLE', retryAfterSeconds: 5 });
  });
});
