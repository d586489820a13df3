import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parquetReadObjects } from 'hyparquet';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { databaseKinds, type TestDatabase, temporaryDatabase } from '../helpers/database.ts';
import { type TemporaryFolder, temporaryRepository } from '../helpers/folder.ts';
import { grpcClient } from '../helpers/grpc-client.ts';
import { scrape } from '../helpers/scrape.ts';
import { postJson, startReadyServer, type TestServer } from '../helpers/server.ts';

const flower = { sepal_length: 5.9, sepal_width: 3, petal_length: 5.1, petal_width: 1.8 };
const passenger = { pclass: 1, sex: 'female', age: 38, sibsp: 1, parch: 0, fare: 71.28, embarked: 'C' };
const tensor = (rows: number) => ({
  inputs: [{ name: 'features', datatype: 'FP32', shape: [rows, 4], data: new Array(rows * 4).fill(0.5) }],
});

/** A prediction as the API has it, as far as these tests look at it. */
interface Shown {
  readonly id: string;
  readonly inputs: unknown;
  readonly feedback: unknown;
  readonly feedback_history: readonly { readonly score?: number }[];
}

/** Whatever the routes answer, as far as these tests look at it. */
interface Answer extends Shown {
  readonly code: string;
  readonly predictions: readonly Shown[];
  readonly next_cursor?: string;
  readonly versions: unknown;
  readonly days: unknown;
  readonly drift: Drift;
}

interface Drift {
  readonly reference: { readonly count: number };
  readonly current: { readonly count: number };
  readonly inputs: Readonly<Record<string, { readonly psi: number; readonly reference: unknown }>>;
  readonly outputs: Readonly<Record<string, { readonly current: { readonly count: number } }>>;
}

/** A message of a gRPC stream, as far as these tests look at it. */
interface StreamAnswer {
  readonly infer_response: { readonly parameters: Readonly<Record<string, { readonly string_param: string }>> };
}

/** A time that is later than everything so far, and no later than what comes: times are kept in milliseconds. */
async function nextMoment(): Promise<string> {
  const now = Date.now();
  await expect.poll(() => Date.now(), { interval: 1 }).toBeGreaterThan(now);
  return new Date().toISOString();
}

describe.each(databaseKinds)('the prediction log on %s', (kind) => {
  let database: TestDatabase;
  let repository: TemporaryFolder;
  let server: TestServer;

  beforeAll(async () => {
    database = await temporaryDatabase(kind);
    repository = await temporaryRepository('iris', 'titanic', 'digits', 'sentiment');
    const manifest = JSON.parse(await readFile(join(repository.path, 'titanic', 'model.json'), 'utf8'));
    manifest.predictionLog = { redact: ['age'] };
    await writeFile(join(repository.path, 'titanic', 'model.json'), JSON.stringify(manifest));
    server = await startReadyServer({
      ...database.environment,
      MODELS_DIR: repository.path,
      PREDICTIONS_MAX_PER_SECOND: '100000',
      PREDICTIONS_REDACT: 'sepal_length',
      GRPC_PORT: '0',
    });
    await server.storage?.whenReady();
  });

  afterAll(async () => {
    await server.stop();
    await repository[Symbol.asyncDispose]();
    await database[Symbol.asyncDispose]();
  });

  const get = async (path: string) => {
    const response = await fetch(new URL(path, server.address));
    return { status: response.status, headers: response.headers, body: (await response.json()) as Answer };
  };
  const list = async (query: string): Promise<readonly Shown[]> =>
    (await get(`/predictions?${query}`)).body.predictions;
  const predict = async (path: string, body: unknown, headers: Record<string, string> = {}) => {
    const reply = await postJson(server.address, path, body, headers);
    expect(reply.status).toBe(200);
    return reply.headers.get('x-prediction-id') ?? '';
  };
  const judge = (id: string, body: unknown) => postJson(server.address, `/predictions/${id}/feedback`, body);

  it('has what the client sent and got, under the id in the reply', async () => {
    const id = await predict('/iris/predict', flower, { 'x-request-id': 'flower-1' });
    const { status, body } = await get(`/predictions/${id}`);
    expect(status).toBe(200);
    expect(body).toMatchObject({
      id,
      at: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/),
      request_id: 'flower-1',
      model: 'iris',
      version: '1',
      domain: 'iris',
      key: null,
      status: 'OK',
      phases: { total_ms: expect.any(Number), infer_ms: expect.any(Number), batch_rows: 1 },
      inputs: { ...flower, sepal_length: '[redacted]' },
      outputs: { species: 'virginica' },
      feedback: null,
      feedback_history: [],
    });
  });

  it('has the tensors of a binary request, whose memory is free again when they are written', async () => {
    const rows = 1000;
    const inputs = [
      { name: 'features', datatype: 'FP32', shape: [rows, 4], parameters: { binary_data_size: rows * 16 } },
    ];
    const header = Buffer.from(JSON.stringify({ inputs }));
    const elements = Float32Array.from({ length: rows * 4 }, (_, index) => index);
    const reply = await fetch(new URL('/v2/models/iris/infer', server.address), {
      method: 'POST',
      headers: { 'inference-header-content-length': String(header.byteLength), 'x-request-id': 'binary-1' },
      body: Buffer.concat([header, Buffer.from(elements.buffer)]),
    });
    expect(reply.status).toBe(200);
    await expect
      .poll(() => list('request_id=binary-1&limit=1'))
      .toMatchObject([
        { id: `${reply.headers.get('x-prediction-id')}.999`, inputs: { features: [3996, 3997, 3998, 3999] } },
      ]);
  });

  it('has a prediction for each instance of a batch, under ids of its own', async () => {
    const instances = [passenger, { ...passenger, sex: 'male' }, { pclass: 3, sex: 'male' }];
    const id = await predict('/titanic/predict/batch', { instances }, { 'x-request-id': 'batch-1' });
    const shown = await list('request_id=batch-1');
    expect(shown.map((prediction) => prediction.id)).toEqual([`${id}.2`, `${id}.1`, id]);
    expect(shown.map(({ inputs }) => inputs)).toEqual([
      { pclass: 3, sex: 'male', sibsp: 0, parch: 0 },
      { ...passenger, sex: 'male', age: '[redacted]' },
      { ...passenger, age: '[redacted]' },
    ]);
    expect((await get(`/predictions/${id}.1`)).body).toMatchObject({ inputs: { sex: 'male' } });
    expect((await get(`/predictions/${id}.3`)).status).toBe(404);
  });

  it('has the tensors of a request by protocol, a prediction for each row', async () => {
    const id = await predict('/v2/models/iris/infer', tensor(2));
    expect((await get(`/predictions/${id}.1`)).body).toMatchObject({
      domain: null,
      inputs: { features: [0.5, 0.5, 0.5, 0.5] },
      outputs: {
        label: expect.any(Number),
        probabilities: [expect.any(Number), expect.any(Number), expect.any(Number)],
      },
    });
    const typed = await predict('/models/iris/predict', { features: [[0.5, 0.5, 0.5, 0.5]] });
    expect((await get(`/predictions/${typed}`)).body).toMatchObject({ domain: null, model: 'iris' });
  });

  it('has those of gRPC, whose ids are in the metadata', async () => {
    using client = grpcClient(server.grpcPort);
    const contents = { fp32_contents: [0.5, 0.5, 0.5, 0.5] };
    await client.call(
      'ModelInfer',
      {
        model_name: 'iris',
        inputs: [{ name: 'features', datatype: 'FP32', shape: [1, 4], contents }],
      },
      { metadata: { 'x-request-id': `grpc-${kind}` } },
    );
    expect(await list(`request_id=grpc-${kind}`)).toMatchObject([{ model: 'iris', domain: null }]);
  });

  it('has those of a gRPC stream, each of whose messages has the id of its own to judge it by', async () => {
    using client = grpcClient(server.grpcPort);
    const values = [0.25, 0.75];
    const requests = values.map((value) => ({
      model_name: 'iris',
      inputs: [
        { name: 'features', datatype: 'FP32', shape: [1, 4], contents: { fp32_contents: new Array(4).fill(value) } },
      ],
    }));
    const stream = client.stream();
    for (const request of [...requests, { model_name: 'none' }]) stream.write(request);
    stream.end();
    const messages = await Array.fromAsync<StreamAnswer>(stream);
    const ids = messages.map(({ infer_response }) => infer_response.parameters['prediction_id']?.string_param ?? '');
    expect(ids[2]).toBe('');
    for (const [index, value] of values.entries()) {
      const id = ids[index];
      expect((await get(`/predictions/${id}`)).body.inputs).toEqual({ features: new Array(4).fill(value) });
      const judged = await postJson(server.address, `/predictions/${id}/feedback`, { label: index });
      expect(judged).toMatchObject({ status: 201, body: { id, feedback: { label: index } } });
    }
  });

  it('has the digest and the size of a picture instead of the picture', async () => {
    const file = await readFile(new URL('../../docs/examples/two.png', import.meta.url));
    const id = await predict('/digits/predict', { image: file.toString('base64') });
    const { body } = await get(`/predictions/${id}`);
    expect(body).toMatchObject({
      inputs: {
        image: { file: { bytes: file.length, sha256: expect.any(String), format: 'png', width: 28, height: 28 } },
      },
      outputs: { digit: 2 },
    });
  });

  it('has a text that Postgres could not keep', async () => {
    const id = await predict('/sentiment/predict', { text: 'good\u0000 \ud800 \\u0000' });
    expect((await get(`/predictions/${id}`)).body.inputs).toEqual({ text: 'good\ufffd \ufffd \\u0000' });
  });

  it('has predictions that failed, with their code', async () => {
    const broken = { image: Buffer.from('no picture').toString('base64') };
    await postJson(server.address, '/digits/predict', broken, { 'x-request-id': 'broken-1' });
    const [shown] = await list('request_id=broken-1');
    expect(shown).toMatchObject({ model: 'digits', status: 'UNSUPPORTED_MEDIA_TYPE', outputs: null });
    await postJson(server.address, '/v2/models/nowhere/infer', tensor(1), { 'x-request-id': 'nowhere-1' });
    expect(await list('request_id=nowhere-1')).toEqual([]);
  });

  it('keeps all feedback, of which the last label, score and comment count', async () => {
    const id = await predict('/iris/predict', flower);
    expect((await judge(id, { label: 'setosa', comment: 'from the field' })).status).toBe(201);
    expect((await judge(id, { score: 0.5 })).status).toBe(201);
    await judge(id, { label: 'virginica' });
    const { body } = await get(`/predictions/${id}`);
    expect(body.feedback).toMatchObject({ label: 'virginica', score: 0.5, comment: 'from the field' });
    expect(body.feedback_history).toMatchObject([{ label: 'setosa' }, { score: 0.5 }, { label: 'virginica' }]);
    expect(body.feedback_history).toHaveLength(3);
  });

  it('loses no feedback of several people at once', async () => {
    const id = await predict('/iris/predict', flower);
    await Promise.all(Array.from({ length: 20 }, (_, score) => judge(id, { score })));
    const { body } = await get(`/predictions/${id}`);
    const scores = new Set(body.feedback_history.map(({ score }) => score));
    expect(scores).toEqual(new Set(Array.from({ length: 20 }, (_, score) => score)));
  });

  it('is not searched for a text that Postgres could not keep', async () => {
    const id = await predict('/iris/predict', flower, { 'x-request-id': 'a\tb' });
    expect((await get(`/predictions/${id}`)).body).toMatchObject({
      request_id: expect.stringMatching(/^[0-9a-f-]{36}$/),
    });
    for (const field of ['model', 'version', 'status', 'key', 'request_id', 'since', 'cursor']) {
      expect(await get(`/predictions?${field}=a%00b`), field).toMatchObject({ status: 422 });
      expect(await get(`/predictions/export?${field}=a%00b`), field).toMatchObject({ status: 422 });
    }
    expect(await get('/models/iris/performance?version=%00')).toMatchObject({ status: 404 });
    expect(await get('/models/iris/performance?reference=%00')).toMatchObject({ status: 422 });
    expect(await get('/models/%00/performance')).toMatchObject({ status: 404 });
  });

  it.each([
    {},
    { label: null },
    { label: 'a\u0000b' },
    { comment: 'a\u0000b' },
    { comment: '\ud800' },
    { score: 'high' },
    { labels: 'a' },
  ])('refuses %j as feedback', async (body) => {
    const id = await predict('/iris/predict', flower);
    expect(await judge(id, body)).toMatchObject({ status: 422, body: { code: 'VALIDATION_FAILED' } });
  });

  it('answers 404 for what it does not have, and 422 for what is no id', async () => {
    const unknown = '01a1fe59-4772-7a9d-bd8c-d22f8e3f4751';
    expect(await get(`/predictions/${unknown}`)).toMatchObject({ status: 404, body: { code: 'PREDICTION_NOT_FOUND' } });
    expect(await judge(unknown, { score: 1 })).toMatchObject({ status: 404 });
    expect(await get('/predictions/42')).toMatchObject({ status: 422 });
  });

  it('is listed page by page, the newest first, each prediction once', async () => {
    const instances = new Array(25).fill({ pclass: 3, sex: 'male' });
    const id = await predict('/titanic/predict/batch', { instances }, { 'x-request-id': 'pages-1' });
    const ids: string[] = [];
    let cursor = '';
    do {
      const { body } = await get(`/predictions?request_id=pages-1&limit=10${cursor}`);
      ids.push(...body.predictions.map(({ id }) => id));
      cursor = body.next_cursor === undefined ? '' : `&cursor=${body.next_cursor}`;
    } while (cursor !== '');
    expect(ids).toEqual(Array.from({ length: 25 }, (_, index) => (index === 24 ? id : `${id}.${24 - index}`)));
  });

  it('is filtered by every field', async () => {
    const id = await predict('/iris/predict', flower, { 'x-request-id': 'filter-1' });
    await judge(id, { label: 'setosa' });
    const ids = async (query: string) => (await list(query)).map((prediction) => prediction.id);
    expect(await ids('request_id=filter-1&model=iris&version=1&status=OK&has_feedback=true&since=1h')).toEqual([id]);
    for (const other of [
      'model=digits',
      'version=2',
      'status=INTERNAL',
      'has_feedback=false',
      'until=1h',
      'key=nobody',
    ]) {
      expect(await ids(`request_id=filter-1&${other}`), other).toEqual([]);
    }
    const soon = encodeURIComponent(new Date(Date.now() + 60_000).toISOString());
    expect(await ids(`request_id=filter-1&since=${soon}`)).toEqual([]);
    for (const wrong of ['since=soon', 'limit=0', 'limit=1001', 'cursor=1', 'has_feedback=maybe', 'modell=iris']) {
      expect((await get(`/predictions?${wrong}`)).status, wrong).toBe(422);
    }
  });

  it('is exported as JSON Lines, CSV and Parquet, with the same predictions', async () => {
    // More than a page of the export.
    const instances = new Array(600).fill({ pclass: 3, sex: 'male' });
    const id = await predict('/titanic/predict/batch', { instances }, { 'x-request-id': 'export-1' });
    await judge(`${id}.599`, { label: 0, comment: 'said "no",\nand left' });
    const file = async (format: string) => {
      const response = await fetch(new URL(`/predictions/export?request_id=export-1&format=${format}`, server.address));
      return { type: response.headers.get('content-type'), bytes: await response.arrayBuffer() };
    };
    const jsonLines = await file('jsonl');
    const lines = Buffer.from(jsonLines.bytes)
      .toString()
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(lines).toHaveLength(600);
    expect(lines[0]).toEqual((await list('request_id=export-1&limit=1'))[0]);

    const path = `/predictions/export?request_id=export-1&format=jsonl`;
    const head = await fetch(new URL(path, server.address), { method: 'HEAD' });
    expect([head.status, head.headers.get('content-type')]).toEqual([200, jsonLines.type]);

    const csv = await file('csv');
    expect(csv.type).toContain('text/csv');
    const table = Buffer.from(csv.bytes).toString();
    expect(table).toMatch(/^id,at,request_id,model,/);
    expect(table).toContain('0,,"said ""no"",\nand left",,,,\r\n');
    expect(table.match(/\r\n/g)).toHaveLength(601);

    const parquet = await file('parquet');
    const rows = await parquetReadObjects({ file: parquet.bytes });
    expect(rows).toHaveLength(600);
    expect(rows.map((row) => row['id'])).toEqual(lines.map((line) => line.id));
    expect(rows[0]).toMatchObject({
      model: 'titanic',
      at: new Date(lines[0].at),
      inputs: { pclass: 3, sex: 'male', sibsp: 0, parch: 0 },
      outputs: { survived: 0 },
      feedback_label: 0,
    });
  });

  it('is exported as a file without predictions when there are none', async () => {
    for (const format of ['jsonl', 'csv', 'parquet']) {
      const response = await fetch(new URL(`/predictions/export?request_id=none&format=${format}`, server.address));
      expect(response.status, format).toBe(200);
      const bytes = await response.arrayBuffer();
      if (format === 'parquet') expect(await parquetReadObjects({ file: bytes })).toEqual([]);
    }
  });

  it('says how good a model was, by version and day', async () => {
    const since = encodeURIComponent(new Date().toISOString());
    const instances = [passenger, passenger, passenger, { pclass: 3, sex: 'male' }];
    const id = await predict('/titanic/predict/batch', { instances });
    await judge(id, { label: 1 });
    await judge(`${id}.1`, { label: 'died' });
    await judge(`${id}.2`, { score: 3 });
    const { status, body } = await get(`/models/titanic/performance?since=${since}`);
    expect(status).toBe(200);
    const score = { version: '1', predictions: 4, errors: 0, judged: 3, labelled: 2, accuracy: 0.5, mean_score: 3 };
    expect(body.versions).toMatchObject([score]);
    expect(body.days).toMatchObject([{ ...score, day: new Date().toISOString().slice(0, 10) }]);
  });

  it('compares what a model was asked with what it was trained on, or with an earlier time', async () => {
    const since = await nextMoment();
    await predict('/titanic/predict/batch', { instances: new Array(50).fill(passenger) });
    const between = await nextMoment();
    await predict('/titanic/predict/batch', { instances: new Array(50).fill({ pclass: 3, sex: 'male', fare: 7 }) });
    const ask = async (query: Record<string, string>) =>
      (await get(`/models/titanic/performance?${new URLSearchParams(query)}`)).body.drift;

    const fromTraining = await ask({ since });
    expect(fromTraining.reference).toEqual({ source: expect.stringContaining('891'), count: 891 });
    expect(fromTraining.current).toMatchObject({ version: '1', domain: 'titanic', count: 100 });
    expect(fromTraining.inputs['pclass']?.psi).toBeGreaterThan(0);
    expect(fromTraining.inputs['sex']?.reference).toEqual({ count: 891, missing_share: 0 });
    expect(fromTraining.outputs['survived']?.current.count).toBe(100);

    const fromEarlier = await ask({ since: between, reference: `${since}/${between}` });
    expect(fromEarlier.reference.count).toBe(50);
    expect(fromEarlier.current.count).toBe(50);
    expect(fromEarlier.inputs['sex']?.psi).toBeGreaterThan(1);
    expect(fromEarlier.inputs['parch']?.psi).toBe(0);
    expect((await get(`/models/titanic/performance?reference=20d/19d`)).body.code).toBe('REFERENCE_NOT_FOUND');
    expect((await get('/models/titanic/performance?reference=sometimes')).status).toBe(422);
    expect((await get('/models/nowhere/performance')).body.code).toBe('MODEL_NOT_FOUND');
  });

  it('has its routes documented with their errors', async () => {
    const response = await fetch(new URL('/openapi.json', server.address));
    const { paths } = (await response.json()) as { paths: Record<string, Record<string, { responses: object }>> };
    const documented = (path: string, method = 'get') => Object.keys(paths[path]?.[method]?.responses ?? {});
    expect(documented('/predictions')).toEqual(expect.arrayContaining(['200', '422', '503']));
    expect(documented('/predictions/export')).toEqual(expect.arrayContaining(['422', '503']));
    expect(documented('/predictions/{id}')).toEqual(expect.arrayContaining(['200', '404', '422', '503']));
    expect(documented('/predictions/{id}/feedback', 'post')).toEqual(
      expect.arrayContaining(['201', '404', '415', '503']),
    );
    expect(documented('/models/{name}/performance')).toEqual(expect.arrayContaining(['200', '404', '422', '503']));
  });

  it('counts what it has kept', async () => {
    await predict('/iris/predict', flower);
    await list('limit=1');
    const { value } = await scrape(server.address);
    expect(value('inferd_predictions_logged_total')).toBeGreaterThan(0);
    for (const reason of ['rate', 'buffer_full', 'refused', 'shutdown']) {
      expect(value('inferd_predictions_dropped_total', { reason })).toBe(0);
    }
  });
});
