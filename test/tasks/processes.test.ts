import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { runRounds, type Victim } from '../chaos/rounds.ts';
import { databaseKinds, temporaryDatabase } from '../helpers/database.ts';
import { temporaryRepository } from '../helpers/folder.ts';
import { projectDir, startProcess } from '../helpers/process.ts';
import { scrape } from '../helpers/scrape.ts';
import { finishedTask, flower, getJson, submitTask, whenTasksAreReady } from '../helpers/tasks.ts';

const run = promisify(execFile);

describe.each(databaseKinds)('on %s', (kind) => {
  it('no task is lost or done twice when processes are killed', { timeout: 300_000 }, async () => {
    await using database = await temporaryDatabase(kind);
    await using repository = await temporaryRepository('iris');
    const victims: Victim[] = ['server', 'runner', kind === 'postgres' ? 'worker' : 'database'];
    const left = [...victims];
    const verdict = await runRounds({
      rounds: victims.length,
      modelsDir: repository.path,
      dataDir: database.dataDir,
      databaseUrl: database.databaseUrl,
      cluster: undefined,
      workers: kind === 'postgres' ? 1 : 0,
      random: () => 0.3,
      victim: () => left.shift() ?? 'server',
      report: () => {},
    });
    expect(verdict).toMatchObject({ failed: [], lost: [], doubled: [] });
    expect(verdict.finished).toBe(verdict.accepted);
    expect(verdict.accepted).toBeGreaterThan(30);
  });

  it('tasks that wait outlive a stop, and are done after it', async () => {
    await using database = await temporaryDatabase(kind);
    await using repository = await temporaryRepository('iris');
    const environment = { MODELS_DIR: repository.path, TASK_POLL_MS: '60000', ...database.environment };
    const ids: string[] = [];
    {
      await using server = await startProcess(environment);
      await whenTasksAreReady(server.address);
      for (let index = 0; index < 5; index++)
        ids.push(await submitTask(server.address, '/iris/tasks?delay_s=1', flower));
      server.child.kill('SIGTERM');
      expect(await server.exit).toEqual([0, null]);
    }
    await using server = await startProcess(environment);
    await whenTasksAreReady(server.address);
    for (const id of ids) expect(await finishedTask(server.address, id)).toMatchObject({ state: 'succeeded' });
  });
});

describe.each(databaseKinds.filter((kind) => kind === 'postgres'))('workers on one %s', (kind) => {
  it('share the tasks of a server that does none itself', async () => {
    await using database = await temporaryDatabase(kind);
    await using repository = await temporaryRepository('iris');
    const environment = {
      MODELS_DIR: repository.path,
      TASK_CONCURRENCY: '4',
      ...database.environment,
    };
    await using server = await startProcess({ ...environment, TASK_CONCURRENCY: '0' });
    await using first = await startProcess(environment, 'worker');
    await using second = await startProcess(environment, 'worker');
    await whenTasksAreReady(server.address);
    const ids = await Promise.all(Array.from({ length: 60 }, () => submitTask(server.address, '/iris/tasks', flower)));
    for (const id of ids)
      expect(await finishedTask(server.address, id)).toMatchObject({ state: 'succeeded', attempts: 1 });
    const done = async (address: string) =>
      (await scrape(address)).value('inferd_task_events_total', { event: 'succeeded' });
    const counts = await Promise.all([server, first, second].map(({ address }) => done(address)));
    expect(counts[0]).toBe(0);
    expect((counts[1] ?? 0) + (counts[2] ?? 0)).toBe(ids.length);
    expect(Math.min(counts[1] ?? 0, counts[2] ?? 0)).toBeGreaterThan(0);
  });

  it('answer for their health alone', async () => {
    await using database = await temporaryDatabase(kind);
    await using repository = await temporaryRepository('iris');
    await using worker = await startProcess({ MODELS_DIR: repository.path, ...database.environment }, 'worker');
    expect(await getJson(worker.address, '/health/ready')).toMatchObject({ status: 200 });
    for (const path of ['/models', '/tasks', '/iris/predict']) {
      expect(await getJson(worker.address, path)).toMatchObject({ status: 404 });
    }
  });
});

describe('inferd worker', () => {
  it.each([
    [{}, /DATABASE_URL.*received none/],
    [{ DATABASE_URL: 'postgres://127.0.0.1/x', TASK_CONCURRENCY: '0' }, /TASK_CONCURRENCY.*at least 1/],
    [{ DATABASE_URL: 'mysql://127.0.0.1/x' }, /DATABASE_URL: expected postgres:.*received a secret/],
  ])('refuses to start with %j', async (environment, message) => {
    const started = run(process.execPath, ['src/main.ts', 'worker'], {
      cwd: projectDir,
      env: { ...process.env, DATABASE_URL: '', ...environment },
    });
    await expect(started).rejects.toMatchObject({ code: 1, stderr: expect.stringMatching(message) });
  });
});
