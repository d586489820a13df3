import { describe, expect, it } from 'vitest';
import { type Amount, TaskQuota } from '../../src/tasks/repository/task-quota.ts';
import { temporaryDatabase } from '../helpers/database.ts';
import { temporaryRepository } from '../helpers/folder.ts';
import { temporaryKeyFile } from '../helpers/keys.ts';
import { postJson, startReadyServer } from '../helpers/server.ts';
import { flower, getJson, submitTask, whenTasksAreReady } from '../helpers/tasks.ts';

const limits = { ofCaller: { tasks: 2, bytes: 100 }, inAll: { tasks: 3, bytes: 150 } };

/** A quota over these tasks, of which every count is noted. */
function quotaOver(waiting: ReadonlyMap<string, Amount>) {
  const state = { waiting, nowMs: 0, counts: 0 };
  const count = async () => {
    state.counts += 1;
    return state.waiting;
  };
  return { state, quota: new TaskQuota(limits, { count, clock: { now: () => state.nowMs } }) };
}

describe('a quota', () => {
  it('refuses what is too much of a key, in tasks and in bytes, and names the setting', async () => {
    const { quota } = quotaOver(new Map([['a', { tasks: 1, bytes: 60 }]]));
    await expect(quota.enter('a', 41)).rejects.toMatchObject({
      code: 'TASK_QUOTA_EXCEEDED',
      message: expect.stringContaining('TASK_MAX_WAITING_BYTES_PER_CALLER allows 100'),
      retryAfterSeconds: 30,
    });
    (await quota.enter('a', 40))(true);
    await expect(quota.enter('a', 0)).rejects.toMatchObject({
      message: expect.stringContaining('TASK_MAX_WAITING_PER_CALLER allows 2'),
    });
    await expect(quota.enter('b', 10)).resolves.toBeTypeOf('function');
  });

  it('refuses what is too much in all, also of those without a key', async () => {
    const { quota } = quotaOver(new Map([['', { tasks: 2, bytes: 140 }]]));
    await expect(quota.enter('', 11)).rejects.toMatchObject({
      code: 'TASKS_FULL',
      message: expect.stringContaining('TASK_MAX_WAITING_BYTES allows 150'),
    });
    (await quota.enter('', 10))(true);
    await expect(quota.enter('b', 0)).rejects.toMatchObject({ message: expect.stringContaining('TASK_MAX_WAITING ') });
  });

  it('counts what is about to be kept, and not what was not', async () => {
    const { quota } = quotaOver(new Map());
    const leaves = [await quota.enter('a', 1), await quota.enter('a', 1)];
    await expect(quota.enter('a', 1)).rejects.toMatchObject({ code: 'TASK_QUOTA_EXCEEDED' });
    for (const leave of leaves) leave(false);
    await expect(quota.enter('a', 1)).resolves.toBeTypeOf('function');
  });

  it('has room again when tasks have ended, and counts seldom', async () => {
    const { quota, state } = quotaOver(new Map([['a', { tasks: 2, bytes: 0 }]]));
    await expect(quota.enter('a', 1)).rejects.toMatchObject({ code: 'TASK_QUOTA_EXCEEDED' });
    await expect(quota.enter('a', 1)).rejects.toMatchObject({ code: 'TASK_QUOTA_EXCEEDED' });
    expect(state.counts).toBe(1);
    state.waiting = new Map();
    state.nowMs = 300;
    (await quota.enter('a', 1))(true);
    expect(state.counts).toBe(2);
  });
});

it('tasks of large inputs that wait long do not fill the disk', async () => {
  await using database = await temporaryDatabase('embedded');
  await using repository = await temporaryRepository('iris');
  await using keyFile = await temporaryKeyFile();
  const bearer = async (...options: Parameters<typeof keyFile.add>) => ({
    authorization: `Bearer ${(await keyFile.add(...options)).key}`,
  });
  const greedy = await bearer();
  const other = await bearer();
  await using server = await startReadyServer({
    MODELS_DIR: repository.path,
    API_KEYS_FILE: keyFile.file,
    TASK_MAX_WAITING_BYTES_PER_CALLER: String(1024 * 1024),
    TASK_MAX_WAITING: '3',
    ...database.environment,
  });
  const { address } = server;
  await whenTasksAreReady(address, greedy);

  const path = '/models/iris/tasks?delay_s=2592000';
  const large = { features: Array.from({ length: 30_000 }, () => [5.1, 3.5, 1.4, 0.2]) };
  const key = { 'idempotency-key': 'the first' };
  const first = await submitTask(address, path, large, { ...greedy, ...key });
  const refused = await postJson(address, path, large, greedy);
  expect(refused).toMatchObject({ status: 429, body: { code: 'TASK_QUOTA_EXCEEDED' } });
  expect(refused.headers.get('retry-after')).toBe('30');
  expect(await postJson(address, path, large, { ...greedy, ...key })).toMatchObject({
    status: 202,
    body: { id: first },
  });

  await submitTask(address, '/iris/tasks?delay_s=60', flower, other);
  await submitTask(address, '/iris/tasks?delay_s=60', flower, other);
  const full = await postJson(address, '/iris/tasks', flower, other);
  expect(full).toMatchObject({ status: 503, body: { detail: expect.stringContaining('TASK_MAX_WAITING allows 3') } });
  expect(full.headers.get('retry-after')).toBe('30');
  await getJson(address, `/tasks/${first}`, { method: 'DELETE', headers: greedy });
  await expect.poll(async () => (await postJson(address, '/iris/tasks', flower, other)).status).toBe(202);
});
