import { describe, expect, it } from 'vitest';
import { temporaryDatabase } from '../helpers/database.ts';
import { temporaryFolder, temporaryRepository } from '../helpers/folder.ts';
import { postJson, startReadyServer } from '../helpers/server.ts';
import { finishedTask, flower, getJson, submitTask, whenTasksAreReady } from '../helpers/tasks.ts';

describe('while the storage is away', () => {
  it('predictions go on, tasks are refused for now, and then go on where they were', async () => {
    await using database = await temporaryDatabase('embedded');
    await using repository = await temporaryRepository('iris');
    await using server = await startReadyServer({ MODELS_DIR: repository.path, ...database.environment });
    const { address, storage } = server;
    const refused = await postJson(address, '/iris/tasks', flower);
    expect(refused).toMatchObject({ status: 503, body: { code: 'STORAGE_UNAVAILABLE' } });
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
    await whenTasksAreReady(address);

    const waiting = await submitTask(address, '/iris/tasks?delay_s=3', flower);
    process.kill(storage?.pid ?? 0, 'SIGKILL');
    await expect.poll(() => storage?.state).toBe('unavailable');
    expect(await postJson(address, '/iris/tasks', flower)).toMatchObject({ status: 503 });
    expect(await getJson(address, `/tasks/${waiting}`)).toMatchObject({ status: 503 });
    expect(await postJson(address, '/iris/predict', flower)).toMatchObject({ status: 200 });
    expect(await getJson(address, '/health/ready')).toMatchObject({ status: 200 });

    await whenTasksAreReady(address);
    expect(await finishedTask(address, waiting)).toMatchObject({ state: 'succeeded', attempts: 1 });
  });

  it('the log has it from the storage, and not from every job that looks for something to do', async () => {
    await using database = await temporaryDatabase('embedded');
    await using repository = await temporaryRepository('iris');
    const environment = { MODELS_DIR: repository.path, TASK_POLL_MS: '10', ...database.environment };
    await using server = await startReadyServer(environment);
    const { address, storage, logLines } = server;
    await whenTasksAreReady(address);
    const before = logLines.length;
    process.kill(storage?.pid ?? 0, 'SIGKILL');
    await expect.poll(() => storage?.state).toBe('unavailable');
    await whenTasksAreReady(address);
    const messages = logLines.slice(before).flatMap(({ level, msg }) => (level === 30 ? [] : [msg]));
    expect(new Set(messages)).toEqual(new Set(['The storage cannot be used']));
  });

  it('a database that is not there holds up nothing else, also not the stop', async () => {
    await using folder = await temporaryFolder();
    await using repository = await temporaryRepository('iris');
    const environment = { STORAGE: 'on', DATA_DIR: folder.path, DATABASE_URL: 'postgres://127.0.0.1:1/nothing' };
    await using server = await startReadyServer({ MODELS_DIR: repository.path, ...environment });
    expect(await postJson(server.address, '/iris/predict', flower)).toMatchObject({ status: 200 });
    const refused = await postJson(server.address, '/iris/tasks', flower);
    expect(refused).toMatchObject({ status: 503, body: { code: 'STORAGE_UNAVAILABLE' } });
  });
});

it('without a storage there are no tasks', async () => {
  await using repository = await temporaryRepository('iris');
  await using server = await startReadyServer({ MODELS_DIR: repository.path, STORAGE: 'off' });
  expect(server.storage).toBeUndefined();
  expect(await postJson(server.address, '/iris/tasks', flower)).toMatchObject({ status: 404 });
  expect(await getJson(server.address, '/tasks')).toMatchObject({ status: 404 });
});
