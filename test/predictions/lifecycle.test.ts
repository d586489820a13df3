import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { defineDomain } from '../../src/domains/define-domain.ts';
import { dropPartitions, listPartitions } from '../../src/predictions/partitions.ts';
import { float32 } from '../../src/tensor/tensor.ts';
import { databaseKinds, temporaryDatabase } from '../helpers/database.ts';
import { temporaryRepository } from '../helpers/folder.ts';
import { temporaryKeyFile } from '../helpers/keys.ts';
import { postJson, startReadyServer, type TestServer } from '../helpers/server.ts';

const flower = { sepal_length: 5.9, sepal_width: 3, petal_length: 5.1, petal_width: 1.8 };
const bearer = (key: string) => ({ authorization: `Bearer ${key}` });

/** What the routes answer, as far as these tests look at it. */
interface Answer {
  readonly predictions?: readonly unknown[];
  readonly dropped: unknown;
}

const ask = async (server: TestServer, path: string, headers: Record<string, string> = {}) => {
  const response = await fetch(new URL(path, server.address), { headers });
  return { status: response.status, body: (await response.json()) as Answer };
};

/** Instances in the log of a request; undefined while the storage cannot be asked. */
const countOf = async (server: TestServer, requestId: string): Promise<number | undefined> =>
  (await ask(server, `/predictions?limit=1000&request_id=${requestId}`)).body.predictions?.length;

describe.each(databaseKinds)('a server with a prediction log on %s', (kind) => {
  it('writes at its end what it has answered just before, and finds it at the next start', async () => {
    await using database = await temporaryDatabase(kind);
    await using repository = await temporaryRepository('iris');
    const environment = { ...database.environment, MODELS_DIR: repository.path };
    const first = await startReadyServer(environment);
    await first.storage?.whenReady();
    const instances = new Array(100).fill(flower);
    const { headers } = await postJson(first.address, '/iris/predict/batch', { instances }, { 'x-request-id': 'last' });
    await first.stop();

    await using second = await startReadyServer(environment);
    await second.storage?.whenReady();
    expect(await countOf(second, 'last')).toBe(100);
    expect((await ask(second, `/predictions/${headers.get('x-prediction-id')}.99`)).status).toBe(200);
  });

  it('keeps the predictions that it answers before the storage is there', async () => {
    await using database = await temporaryDatabase(kind);
    await using repository = await temporaryRepository('iris');
    await using server = await startReadyServer({ ...database.environment, MODELS_DIR: repository.path });
    const early = await postJson(server.address, '/iris/predict', flower, { 'x-request-id': 'early' });
    expect(early.status).toBe(200);
    await server.storage?.whenReady();
    expect(await countOf(server, 'early')).toBe(1);
  });

  it('keeps a fair sample of the part that the settings and the models say', async () => {
    await using database = await temporaryDatabase(kind);
    await using repository = await temporaryRepository('iris');
    const environment = { ...database.environment, MODELS_DIR: repository.path };
    await using server = await startReadyServer({ ...environment, PREDICTIONS: 'off' });
    await server.storage?.whenReady();
    const { headers, status } = await postJson(server.address, '/iris/predict', flower, { 'x-request-id': 'off' });
    expect(status).toBe(200);
    expect(headers.has('x-prediction-id')).toBe(false);
    expect(await countOf(server, 'off')).toBe(0);
  });

  it('gives no more than the bound of a second, and counts the rest', async () => {
    await using database = await temporaryDatabase(kind);
    await using repository = await temporaryRepository('iris');
    const environment = { ...database.environment, MODELS_DIR: repository.path, PREDICTIONS_MAX_PER_SECOND: '1' };
    await using server = await startReadyServer(environment);
    await server.storage?.whenReady();
    const instances = new Array(50).fill(flower);
    // The first is kept whole, and takes what the next fifty seconds may have.
    await postJson(server.address, '/iris/predict/batch', { instances }, { 'x-request-id': 'bound' });
    await postJson(server.address, '/iris/predict/batch', { instances }, { 'x-request-id': 'bound' });
    expect(await countOf(server, 'bound')).toBe(50);
    expect((await ask(server, '/predictions')).body.dropped).toMatchObject({ rate: 50, buffer_full: 0 });
  });
});

describe.each(databaseKinds)('a prediction on %s that is not kept any more', (kind) => {
  it('takes no feedback, and those after it are kept', async () => {
    await using database = await temporaryDatabase(kind);
    await using repository = await temporaryRepository('iris');
    await using server = await startReadyServer({ ...database.environment, MODELS_DIR: repository.path });
    await server.storage?.whenReady();
    const { headers } = await postJson(server.address, '/iris/predict', flower);
    const path = `/predictions/${headers.get('x-prediction-id')}`;
    expect(await ask(server, path)).toMatchObject({ status: 200 });
    await server.storage?.use(async ({ db }) => dropPartitions(db, await listPartitions(db)));
    expect(await postJson(server.address, `${path}/feedback`, { score: 1 })).toMatchObject({
      status: 404,
      body: { code: 'PREDICTION_NOT_FOUND', detail: expect.stringContaining('is not kept any more') },
    });
    const next = await postJson(server.address, '/iris/predict', flower);
    const feedback = `/predictions/${next.headers.get('x-prediction-id')}/feedback`;
    expect(await postJson(server.address, feedback, { score: 1 })).toMatchObject({ status: 201 });
  });
});

const noJson = () => {
  throw new Error('no JSON');
};

describe('a prediction whose answer cannot be decoded', () => {
  it('is kept as one that failed, and is decoded once', async () => {
    let decoded = 0;
    const broken = defineDomain({
      name: 'broken',
      model: 'iris',
      summary: 'Its outputs are no answer',
      input: z.strictObject({ of: z.string() }),
      output: z.object({}),
      examples: [{ of: 'anything' }],
      encode: () => ({ features: float32([1, 4], [1, 2, 3, 4]) }),
      decode: () => {
        decoded += 1;
        throw new Error('no answer');
      },
    });
    await using database = await temporaryDatabase('embedded');
    await using repository = await temporaryRepository('iris');
    await using server = await startReadyServer({ ...database.environment, MODELS_DIR: repository.path }, [broken]);
    await server.storage?.whenReady();
    const { status } = await postJson(server.address, '/broken/predict', { of: 'a' }, { 'x-request-id': 'broken' });
    expect(status).toBe(500);
    expect((await ask(server, '/predictions?request_id=broken')).body).toMatchObject({
      predictions: [{ domain: 'broken', inputs: { of: 'a' }, outputs: null, status: 'INTERNAL' }],
      dropped: { refused: 0 },
    });
    expect(decoded).toBe(1);
  });
});

describe('a prediction that cannot be kept', () => {
  it('is counted, and takes no other with it', async () => {
    const fickle = defineDomain({
      name: 'fickle',
      model: 'iris',
      summary: 'Some of its instances have no JSON',
      input: z.strictObject({ json: z.boolean() }).transform(({ json }) => ({ toJSON: json ? undefined : noJson })),
      output: z.object({}),
      examples: [{ json: true }],
      encode: () => ({ features: float32([1, 4], [1, 2, 3, 4]) }),
      decode: () => [{}],
    });
    await using database = await temporaryDatabase('embedded');
    await using repository = await temporaryRepository('iris');
    await using server = await startReadyServer({ ...database.environment, MODELS_DIR: repository.path }, [fickle]);
    for (const json of [true, false, true]) {
      const { status } = await postJson(server.address, '/fickle/predict', { json }, { 'x-request-id': 'fickle' });
      expect(status).toBe(200);
    }
    await server.storage?.whenReady();
    expect(await countOf(server, 'fickle')).toBe(2);
    expect((await ask(server, '/predictions')).body.dropped).toMatchObject({ refused: 1 });
  });
});

describe('a server whose storage is away', () => {
  it('goes on predicting, says so where the storage is needed, and writes what fits when it is back', async () => {
    await using database = await temporaryDatabase('embedded');
    await using repository = await temporaryRepository('iris');
    const environment = { MODELS_DIR: repository.path, PREDICTIONS_MAX_PER_SECOND: '1000000' };
    await using server = await startReadyServer({ ...database.environment, ...environment });
    await server.storage?.whenReady();
    process.kill(server.storage?.pid ?? 0, 'SIGKILL');
    await expect.poll(() => server.storage?.state).toBe('unavailable');

    const instances = new Array(1000).fill(flower);
    for (let batch = 0; batch < 12; batch += 1) {
      const headers = { 'x-request-id': `away-${batch}` };
      expect((await postJson(server.address, '/iris/predict/batch', { instances }, headers)).status).toBe(200);
    }
    for (const path of ['/predictions', '/predictions/export', '/models/iris/performance']) {
      const answer = await ask(server, path);
      if (server.storage?.state === 'ready') break;
      expect(answer, path).toMatchObject({ status: 503, body: { code: 'STORAGE_UNAVAILABLE' } });
    }
    await expect.poll(() => server.storage?.state).toBe('ready');
    expect(await countOf(server, 'away-0')).toBe(1000);
    const { body } = await ask(server, '/predictions?limit=1');
    expect(body.dropped).toMatchObject({ rate: 0, refused: 0 });
  });
});

describe('the prediction log with API keys', () => {
  it('is for administrators, and for each key as far as its own predictions go', async () => {
    await using database = await temporaryDatabase('embedded');
    await using repository = await temporaryRepository('iris');
    await using keyFile = await temporaryKeyFile();
    const ann = await keyFile.add();
    const ben = await keyFile.add();
    const admin = await keyFile.add({ scopes: ['infer', 'admin'] });
    const titanicAdmin = await keyFile.add({ scopes: ['infer', 'admin'], models: ['titanic'] });
    const environment = { MODELS_DIR: repository.path, API_KEYS_FILE: keyFile.file };
    await using server = await startReadyServer({ ...database.environment, ...environment });
    await server.storage?.whenReady();

    const { headers } = await postJson(server.address, '/iris/predict', flower, bearer(ann.key));
    const path = `/predictions/${headers.get('x-prediction-id')}`;
    expect(await ask(server, path, bearer(ann.key))).toMatchObject({ status: 200, body: { key: { id: ann.id } } });
    expect((await ask(server, path, bearer(admin.key))).status).toBe(200);
    for (const other of [ben, titanicAdmin]) {
      expect(await ask(server, path, bearer(other.key))).toMatchObject({ status: 404 });
      expect(await postJson(server.address, `${path}/feedback`, { score: 1 }, bearer(other.key))).toMatchObject({
        status: 404,
      });
    }
    const judged = await postJson(server.address, `${path}/feedback`, { score: 1 }, bearer(ann.key));
    expect(judged).toMatchObject({ status: 201, body: { feedback: { score: 1, key: ann.id } } });

    for (const reading of ['/predictions', '/predictions/export', '/models/iris/performance']) {
      expect((await ask(server, reading, bearer(ann.key))).status, reading).toBe(403);
      expect((await ask(server, reading)).status, reading).toBe(401);
    }
    expect((await ask(server, `/predictions?key=${ann.id}`, bearer(admin.key))).body.predictions).toHaveLength(1);
    expect((await ask(server, `/predictions?key=${ben.id}`, bearer(admin.key))).body.predictions).toHaveLength(0);
    expect((await ask(server, '/predictions', bearer(titanicAdmin.key))).status).toBe(403);
    expect((await ask(server, '/predictions?model=iris', bearer(titanicAdmin.key))).status).toBe(403);
    expect((await ask(server, '/predictions?model=titanic', bearer(titanicAdmin.key))).body.predictions).toEqual([]);
  });
});
