import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { cp, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { databaseKinds, type TestDatabase, temporaryDatabase } from '../helpers/database.ts';
import { fixtureModelsDir, type TemporaryFolder, temporaryRepository } from '../helpers/folder.ts';
import { processesFor } from '../helpers/local-runner.ts';
import { runnerPids } from '../helpers/process.ts';
import { postJson, startReadyServer, type TestServer } from '../helpers/server.ts';
import { finishedTask, flower, getJson, submitTask, type TaskBody, whenTasksAreReady } from '../helpers/tasks.ts';

const passenger = { pclass: 3, sex: 'male' };
const forever = 1_000_000_000_000;

describe.each(databaseKinds)('background tasks on %s', (kind) => {
  let database: TestDatabase;
  let repository: TemporaryFolder;
  let server: TestServer;
  let address: string;

  beforeAll(async () => {
    database = await temporaryDatabase(kind);
    repository = await temporaryRepository('iris', 'titanic', 'digits');
    for (const name of ['hangs', 'big_ints', 'copy']) {
      await cp(join(fixtureModelsDir, `${name}.onnx`), join(repository.path, name, '1', 'model.onnx'));
    }
    server = await startReadyServer(
      {
        MODELS_DIR: repository.path,
        WEBHOOK_SECRET: 'a secret of this test',
        WEBHOOK_ALLOW_PRIVATE: '1',
        TASK_POLL_MS: '60000',
        // Longest time that a run which hangs can hold up the stop.
        REQUEST_TIMEOUT_MS: '5000',
        ...database.environment,
      },
      undefined,
      { spawnRunner: processesFor('hangs') },
    );
    address = server.address;
    await whenTasksAreReady(address);
  });

  afterAll(async () => {
    await server.stop();
    await repository[Symbol.asyncDispose]();
    await database[Symbol.asyncDispose]();
  });

  const predict = async (path: string, body: unknown) => (await postJson(address, path, body)).body;
  const resultOf = async (id: string) => (await getJson(address, `/tasks/${id}/result`)).body;

  it('answer what predict would have answered', async () => {
    const id = await submitTask(address, '/titanic/tasks', passenger);
    const task = await finishedTask(address, id);
    expect(task).toMatchObject({
      id,
      state: 'succeeded',
      model: 'titanic',
      attempts: 1,
      progress: { done: 1, total: 1 },
    });
    expect(Date.parse(String(task['finished_at']))).toBeGreaterThanOrEqual(Date.parse(String(task['created_at'])));
    expect(await resultOf(id)).toEqual(await predict('/titanic/predict', passenger));
  });

  it('answer what predict/batch would have answered', async () => {
    const body = { instances: [flower, { ...flower, petal_length: 5.1, petal_width: 2.3 }] };
    const id = await submitTask(address, '/iris/tasks', body);
    expect(await finishedTask(address, id)).toMatchObject({ state: 'succeeded', progress: { done: 2, total: 2 } });
    expect(await resultOf(id)).toEqual(await predict('/iris/predict/batch', body));
  });

  it('take forms', async () => {
    const response = await fetch(new URL('/titanic/tasks', address), {
      method: 'POST',
      body: new URLSearchParams({ pclass: '3', sex: 'male', age: '' }),
    });
    expect(response.status).toBe(202);
    const { id } = (await response.json()) as { id: string };
    await finishedTask(address, id);
    expect(await resultOf(id)).toEqual(await predict('/titanic/predict', passenger));
  });

  it('take one file as predict does, and several as predict/batch does', async () => {
    const digit = readFileSync(new URL('../../docs/examples/two.png', import.meta.url));
    const post = async (count: number) => {
      const body = new FormData();
      for (let index = 0; index < count; index++) body.append('file', new Blob([digit]), 'digit.png');
      const response = await fetch(new URL('/digits/tasks', address), { method: 'POST', body });
      expect(response.status).toBe(202);
      return ((await response.json()) as { id: string }).id;
    };
    const [one, two] = [await post(1), await post(2)];
    await finishedTask(address, one);
    await finishedTask(address, two);
    const result = await resultOf(one);
    expect(result).toHaveProperty('digit');
    expect(await resultOf(two)).toEqual({ predictions: [result, result] });
  });

  it('take any model, with every digit of its integers', async () => {
    const body = '{"x":[[9007199254740993],[-9223372036854775807]]}';
    const names = (await getJson(address, '/models/big_ints')).body as {
      versions: { inputs: { name: string }[] }[];
    };
    const input = names.versions[0]?.inputs[0]?.name ?? '';
    const text = body.replace('"x"', JSON.stringify(input));
    const id = await submitTask(address, '/models/big_ints/tasks', text);
    await finishedTask(address, id);
    const [result, predicted] = await Promise.all(
      [
        fetch(new URL(`/tasks/${id}/result`, address)),
        fetch(new URL('/models/big_ints/predict', address), {
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body: text,
        }),
      ].map(async (response) => (await response).text()),
    );
    expect(result).toBe(predicted);
    expect(result).toContain('9007199254740993');
  });

  it('are refused at once when their input is wrong', async () => {
    const wrong = await postJson(address, '/titanic/tasks', { instances: [passenger, { pclass: 4, sex: 'male' }] });
    expect(wrong).toMatchObject({ status: 422, body: { code: 'VALIDATION_FAILED' } });
    expect(wrong.body).toMatchObject({ errors: [{ location: ['body', 'instances', 1, 'pclass'] }] });
    const unknown = await postJson(address, '/models/titanic/tasks', { nothing: [1] });
    expect(unknown).toMatchObject({ status: 422, body: { code: 'SIGNATURE_MISMATCH' } });
    expect(await postJson(address, '/models/nobody/tasks', {})).toMatchObject({ status: 404 });
    const option = await postJson(address, '/titanic/tasks?retries=many', passenger);
    expect(option).toMatchObject({ status: 422, body: { errors: [{ location: ['query', 'retries'] }] } });
  });

  it('fail once, and say why, when the model refuses the input', async () => {
    const id = await submitTask(address, '/digits/tasks', { image: Buffer.from('no picture').toString('base64') });
    const task = await finishedTask(address, id);
    expect(task).toMatchObject({ state: 'failed', attempts: 1, error: { code: 'UNSUPPORTED_MEDIA_TYPE' } });
    const result = await getJson(address, `/tasks/${id}/result`);
    expect(result).toMatchObject({ status: 409, body: { code: 'TASK_WITHOUT_RESULT' } });
    expect(result.body).toMatchObject({ detail: expect.stringContaining('UNSUPPORTED_MEDIA_TYPE') });
  });

  it('fail once when their input crashes the runner, and leave the model at work', async () => {
    const crashing = { turns: [forever + 1] };
    const id = await submitTask(address, '/models/hangs/tasks', crashing);
    const runnerState = async () => (await getJson(address, '/models/hangs')).body;
    await expect.poll(runnerState).toMatchObject({ versions: [{ runners: [{ state: 'busy' }] }] });
    const [pid] = await runnerPids(address, 'hangs');
    process.kill(pid ?? 0, 'SIGSEGV');
    const failed = { state: 'failed', attempts: 1, error: { code: 'INPUT_KILLED_RUNNER' } };
    expect(await finishedTask(address, id)).toMatchObject(failed);
    expect(await finishedTask(address, await submitTask(address, '/models/hangs/tasks', crashing))).toMatchObject(
      failed,
    );
    const answer = await postJson(address, '/models/hangs/predict', crashing);
    expect(answer).toMatchObject({ status: 422, body: { code: 'INPUT_KILLED_RUNNER' } });
    expect(await predict('/models/hangs/predict', { turns: [1] })).toMatchObject({ y: [0] });
    expect((await getJson(address, '/health/ready')).status).toBe(200);
  });

  it('are the same task for the same Idempotency-Key, and refused for another body', async () => {
    const key = { 'idempotency-key': randomUUID() };
    const ids = await Promise.all(Array.from({ length: 5 }, () => submitTask(address, '/iris/tasks', flower, key)));
    expect(new Set(ids).size).toBe(1);
    const other = await postJson(address, '/iris/tasks', { ...flower, sepal_width: 3 }, key);
    expect(other).toMatchObject({ status: 409, body: { code: 'IDEMPOTENCY_CONFLICT' } });
    await finishedTask(address, ids[0] ?? '');
    expect(await submitTask(address, '/iris/tasks', flower, key)).toBe(ids[0]);
    const bad = await postJson(address, '/iris/tasks', flower, { 'idempotency-key': 'ü'.repeat(3) });
    expect(bad).toMatchObject({ status: 400, body: { code: 'MALFORMED_HEADER' } });
  });

  it('begin when their delay is over', async () => {
    const id = await submitTask(address, '/iris/tasks?delay_s=1', flower);
    const queued = (await getJson(address, `/tasks/${id}`)).body as TaskBody;
    expect(queued).toMatchObject({ state: 'queued', attempts: 0 });
    const task = await finishedTask(address, id);
    const [created, started] = ['created_at', 'started_at'].map((field) => Date.parse(String(task[field])));
    expect((started ?? 0) - (created ?? 0)).toBeGreaterThanOrEqual(1000);
  });

  it('are cancelled while they wait and while they run, and no more when they are finished', async () => {
    const waiting = await submitTask(address, '/iris/tasks?delay_s=3600', flower);
    const cancel = (id: string) => getJson(address, `/tasks/${id}`, { method: 'DELETE' });
    expect(await cancel(waiting)).toMatchObject({ status: 200, body: { state: 'cancelled', attempts: 0 } });
    expect(await cancel(waiting)).toMatchObject({ status: 200, body: { state: 'cancelled' } });

    const running = await submitTask(address, '/models/hangs/tasks', { turns: [forever] });
    const stateOf = async (id: string) => ((await getJson(address, `/tasks/${id}`)).body as TaskBody).state;
    await expect.poll(() => stateOf(running)).toBe('running');
    expect(await cancel(running)).toMatchObject({ status: 200, body: { state: 'cancelled', attempts: 1 } });
    expect(await stateOf(running)).toBe('cancelled');

    const finished = await submitTask(address, '/iris/tasks', flower);
    await finishedTask(address, finished);
    expect(await cancel(finished)).toMatchObject({ status: 409, body: { code: 'TASK_FINISHED' } });
  });

  it('are listed by state and model, page after page', async () => {
    const ids: string[] = [];
    for (let index = 0; index < 5; index++) ids.push(await submitTask(address, '/titanic/tasks?delay_s=60', passenger));
    const found: string[] = [];
    for (let path = '/tasks?state=queued&model=titanic&limit=2'; path !== ''; ) {
      const { body } = await getJson(address, path);
      const { tasks, next_cursor: cursor } = body as { tasks: TaskBody[]; next_cursor?: string };
      expect(tasks.length).toBeLessThanOrEqual(2);
      found.push(...tasks.map(({ id }) => id));
      path = cursor === undefined ? '' : `/tasks?state=queued&model=titanic&limit=2&cursor=${cursor}`;
    }
    expect(found).toEqual(ids.toReversed());
    expect(await getJson(address, '/tasks?state=gone')).toMatchObject({ status: 422 });
  });

  it('tell of their changes as server-sent events, up to their end', async () => {
    const id = await submitTask(address, '/iris/tasks?delay_s=1', flower);
    const response = await fetch(new URL(`/tasks/${id}/events`, address));
    expect(response.headers.get('content-type')).toMatch('text/event-stream');
    const events = [...(await response.text()).matchAll(/id: (\S+)\nevent: (\S+)\ndata: (.*)\n\n/g)];
    expect(events.map(([, , event]) => event)).toEqual(expect.arrayContaining(['queued', 'succeeded']));
    expect(events.at(-1)?.[2]).toBe('succeeded');
    expect(JSON.parse(events.at(-1)?.[3] ?? '')).toMatchObject({ id, state: 'succeeded' });
    const again = await fetch(new URL(`/tasks/${id}/events`, address), {
      headers: { 'last-event-id': events.at(-1)?.[1] ?? '' },
    });
    expect(await again.text()).toBe('');
  });

  it('are neither taken nor looked for with a text that Postgres cannot keep', async () => {
    for (const url of ['http://127.0.0.1/%00', 'http://127.0.0.1/?a=%00b']) {
      const taken = await postJson(address, `/iris/tasks?delay_s=60&webhook=${url}`, flower);
      expect(taken, url).toMatchObject({ status: 422, body: { errors: [{ location: ['query', 'webhook'] }] } });
    }
    expect(await postJson(address, '/models/%00/tasks', {})).toMatchObject({ status: 404 });
    for (const field of ['model', 'state', 'cursor']) {
      const listed = await getJson(address, `/tasks?${field}=a%00b`);
      expect(listed, field).toMatchObject({ status: 422, body: { errors: [{ location: ['query', field] }] } });
    }
    expect(await getJson(address, '/tasks/%00')).toMatchObject({ status: 422 });
  });

  it('are not there when they are not', async () => {
    const nobody = `/tasks/${randomUUID()}`;
    for (const path of [nobody, `${nobody}/result`, `${nobody}/events`]) {
      expect(await getJson(address, path)).toMatchObject({ status: 404, body: { code: 'TASK_NOT_FOUND' } });
    }
    expect(await getJson(address, nobody, { method: 'DELETE' })).toMatchObject({ status: 404 });
    expect(await getJson(address, '/tasks/17')).toMatchObject({ status: 422 });
  });

  it('keep inputs and results of megabytes, and leave no file behind', async () => {
    const names = (await getJson(address, '/models/copy')).body as {
      versions: { inputs: { name: string; datatype: string; shape: number[] }[] }[];
    };
    const input = names.versions[0]?.inputs[0];
    const rank = input?.shape.length ?? 1;
    const row = Array.from({ length: 400_000 }, (_, index) => index % 1000);
    const nested = Array.from({ length: rank - 1 }).reduce<unknown>((value) => [value], row);
    const id = await submitTask(address, '/models/copy/tasks?ttl_s=1', { [input?.name ?? '']: nested });
    expect(await finishedTask(address, id)).toMatchObject({ state: 'succeeded' });
    const [values] = Object.values((await resultOf(id)) as Record<string, unknown>);
    expect([values].flat(rank)).toHaveLength(400_000);
    const files = () => readdir(join(database.dataDir, 'tasks')).catch(() => []);
    if (kind === 'embedded') expect(await files()).toEqual([`${id}.result-1`]);
    await expect.poll(async () => (await getJson(address, `/tasks/${id}`)).status).toBe(404);
    // The row goes first, so that no task is ever without its files.
    await expect.poll(files).toEqual([]);
  });
});
