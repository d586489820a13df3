import { describe, expect, it } from 'vitest';
import { databaseKinds, temporaryDatabase } from '../helpers/database.ts';
import { temporaryRepository } from '../helpers/folder.ts';
import { temporaryKeyFile } from '../helpers/keys.ts';
import { postJson, startReadyServer } from '../helpers/server.ts';
import { finishedTask, flower, getJson, submitTask, whenTasksAreReady } from '../helpers/tasks.ts';

const uuidV7 = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-/;
const features = { features: [[5.1, 3.5, 1.4, 0.2]] };

describe.each(databaseKinds)('the predictions of a task on %s', (kind) => {
  it.each([
    ['/iris/tasks', { instances: [flower, flower] }],
    ['/models/iris/tasks', { features: [...features.features, ...features.features] }],
  ])('by %s are those of the key that handed it in, which may judge them', async (path, body) => {
    await using database = await temporaryDatabase(kind);
    await using repository = await temporaryRepository('iris');
    await using keyFile = await temporaryKeyFile();
    const { id: keyId, key } = await keyFile.add({ name: 'night shift', scopes: ['infer'] });
    await using server = await startReadyServer({
      MODELS_DIR: repository.path,
      API_KEYS_FILE: keyFile.file,
      ...database.environment,
    });
    const { address } = server;
    const headers = { authorization: `Bearer ${key}` };
    await whenTasksAreReady(address, headers);

    const id = await submitTask(address, path, body, headers);
    const task = await finishedTask(address, id, headers);
    expect(task).toMatchObject({ state: 'succeeded', prediction_id: expect.stringMatching(uuidV7) });
    const result = await getJson(address, `/tasks/${id}/result`, { headers });
    expect(result.headers.get('x-prediction-id')).toBe(task['prediction_id']);

    for (const predictionId of [task['prediction_id'], `${task['prediction_id']}.1`]) {
      const kept = await getJson(address, `/predictions/${predictionId}`, { headers });
      expect(kept).toMatchObject({
        status: 200,
        body: { request_id: id, model: 'iris', key: { id: keyId, name: 'night shift' } },
      });
      const judged = await postJson(address, `/predictions/${predictionId}/feedback`, { label: 'setosa' }, headers);
      expect(judged.status, JSON.stringify(judged.body)).toBe(201);
    }
  });
});

it('a task whose prediction is not kept names none', async () => {
  await using database = await temporaryDatabase('embedded');
  await using repository = await temporaryRepository('iris');
  await using server = await startReadyServer({
    MODELS_DIR: repository.path,
    PREDICTIONS: 'off',
    ...database.environment,
  });
  await whenTasksAreReady(server.address);
  const id = await submitTask(server.address, '/iris/tasks', flower);
  const task = await finishedTask(server.address, id);
  expect(task['state']).toBe('succeeded');
  expect(task).not.toHaveProperty('prediction_id');
  const result = await getJson(server.address, `/tasks/${id}/result`);
  expect(result.headers.has('x-prediction-id')).toBe(false);
});
