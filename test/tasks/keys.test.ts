import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import type { Scope } from '../../src/access/scope.ts';
import { temporaryDatabase } from '../helpers/database.ts';
import { temporaryRepository } from '../helpers/folder.ts';
import { temporaryKeyFile } from '../helpers/keys.ts';
import { postJson, startReadyServer } from '../helpers/server.ts';
import { finishedTask, flower, getJson, submitTask, type TaskBody, whenTasksAreReady } from '../helpers/tasks.ts';

it('a key sees the tasks that it has submitted, one that may do everything sees all', async () => {
  await using database = await temporaryDatabase('embedded');
  await using repository = await temporaryRepository('iris', 'titanic');
  await using keyFile = await temporaryKeyFile();
  const bearer = async (...options: Parameters<typeof keyFile.add>) => ({
    authorization: `Bearer ${(await keyFile.add(...options)).key}`,
  });
  const one = await bearer();
  const other = await bearer({ models: ['iris'] });
  const admin = await bearer({ scopes: ['infer', 'admin'] });
  const irisAdmin = await bearer({ scopes: ['infer', 'admin'], models: ['iris'] });
  const metrics = await bearer({ scopes: ['metrics'] });
  await using server = await startReadyServer({
    MODELS_DIR: repository.path,
    API_KEYS_FILE: keyFile.file,
    ...database.environment,
  });
  const { address } = server;
  await whenTasksAreReady(address, admin);

  const id = await submitTask(address, '/titanic/tasks', { pclass: 1, sex: 'female' }, one);
  expect(await finishedTask(address, id, one)).toMatchObject({ state: 'succeeded' });
  const statusFor = async (headers: Record<string, string>, path: string) =>
    (await getJson(address, path, { headers })).status;
  for (const path of [`/tasks/${id}`, `/tasks/${id}/result`]) {
    expect(await statusFor(one, path)).toBe(200);
    expect(await statusFor(admin, path)).toBe(200);
    expect(await statusFor(other, path)).toBe(404);
    expect(await statusFor(metrics, path)).toBe(403);
    expect(await statusFor({}, path)).toBe(401);
  }
  expect(await getJson(address, `/tasks/${id}`, { method: 'DELETE', headers: other })).toMatchObject({ status: 404 });

  const listed = async (headers: Record<string, string>) =>
    ((await getJson(address, '/tasks', { headers })).body as { tasks: TaskBody[] }).tasks.map((task) => task.id);
  expect(await listed(one)).toEqual([id]);
  expect(await listed(other)).toEqual([]);
  expect(await listed(admin)).toEqual([id]);

  const events = async (headers: Record<string, string>) =>
    (await fetch(new URL(`/tasks/${id}/events`, address), { method: 'HEAD', headers })).status;
  expect(await events(admin)).toBe(200);
  for (const path of [`/tasks/${id}`, `/tasks/${id}/result`]) expect(await statusFor(irisAdmin, path)).toBe(404);
  expect(await events(irisAdmin)).toBe(404);
  const waiting = await submitTask(address, '/titanic/tasks?delay_s=60', { pclass: 1, sex: 'male' }, one);
  const cancel = (headers: Record<string, string>) =>
    getJson(address, `/tasks/${waiting}`, { method: 'DELETE', headers });
  expect(await cancel(irisAdmin)).toMatchObject({ status: 404 });
  expect(await listed(irisAdmin)).toEqual([]);
  expect(await cancel(admin)).toMatchObject({ status: 200 });

  expect(await postJson(address, '/titanic/tasks', { pclass: 1, sex: 'male' }, other)).toMatchObject({ status: 403 });
  const key = { 'idempotency-key': 'the same for both' };
  const own = await submitTask(address, '/iris/tasks', flower, { ...other, ...key });
  expect(await submitTask(address, '/iris/tasks', flower, { ...one, ...key })).not.toBe(own);
  expect(await listed(irisAdmin)).toHaveLength(2);
});

it('a model that is internal takes tasks of keys with the scope admin alone', async () => {
  await using database = await temporaryDatabase('embedded');
  await using repository = await temporaryRepository('iris', 'titanic');
  const manifest = join(repository.path, 'iris', 'model.json');
  await writeFile(manifest, JSON.stringify({ ...JSON.parse(await readFile(manifest, 'utf8')), internal: true }));
  await using keyFile = await temporaryKeyFile();
  const bearer = async (scopes: readonly Scope[]) => ({
    authorization: `Bearer ${(await keyFile.add({ scopes: [...scopes] })).key}`,
  });
  const [admin, other] = [await bearer(['infer', 'admin']), await bearer(['infer'])];
  await using server = await startReadyServer({
    MODELS_DIR: repository.path,
    API_KEYS_FILE: keyFile.file,
    ...database.environment,
  });
  const { address } = server;
  await whenTasksAreReady(address, admin);
  for (const [path, body] of [
    ['/iris/tasks', flower],
    ['/models/iris/tasks', { features: [[5.1, 3.5, 1.4, 0.2]] }],
  ] as const) {
    expect(await postJson(address, path, body, other)).toMatchObject({ status: 403, body: { code: 'FORBIDDEN' } });
    const id = await submitTask(address, path, body, admin);
    expect(await finishedTask(address, id, admin)).toMatchObject({ state: 'succeeded' });
  }
});

it('the events of a task end when the key is revoked, or its time is over', async () => {
  await using database = await temporaryDatabase('embedded');
  await using repository = await temporaryRepository('iris');
  await using keyFile = await temporaryKeyFile();
  const owner = await keyFile.add();
  const headers = { authorization: `Bearer ${owner.key}` };
  const admin = { scopes: ['infer' as const, 'admin' as const] };
  const revoked = await keyFile.add(admin);
  await using server = await startReadyServer({
    MODELS_DIR: repository.path,
    API_KEYS_FILE: keyFile.file,
    ...database.environment,
  });
  await whenTasksAreReady(server.address, headers);
  const id = await submitTask(server.address, '/iris/tasks?delay_s=3600', flower, headers);
  const follow = async (key: string) => {
    const response = await fetch(new URL(`/tasks/${id}/events`, server.address), { headers: { 'x-api-key': key } });
    return { status: response.status, text: response.text() };
  };
  const expiring = await keyFile.add({ ...admin, expires: new Date(Date.now() + 4000).toISOString() });
  await expect
    .poll(
      async () =>
        (
          await getJson(server.address, '/tasks', {
            headers: { 'x-api-key': expiring.key },
          })
        ).status,
    )
    .toBe(200);
  const streams = [await follow(revoked.key), await follow(expiring.key)];
  expect(streams.map(({ status }) => status)).toEqual([200, 200]);
  await keyFile.revoke(revoked.id);
  for (const { text } of streams) expect(await text).toMatch(/^id: 0-queued\nevent: queued\ndata: [^\n]*\n\n$/);
  const own = await follow(owner.key);
  expect(own.status).toBe(200);
  await getJson(server.address, `/tasks/${id}`, { method: 'DELETE', headers });
  expect(await own.text).toMatch(/event: cancelled/);
});
