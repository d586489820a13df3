import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fixtureRepository, type TemporaryFolder, temporaryRepository } from '../../helpers/folder.ts';
import { postJson, startReadyServer, type TestServer } from '../../helpers/server.ts';

let repository: TemporaryFolder;
/** Servers by their default model. */
const servers = new Map<string, TestServer>();

beforeAll(async () => {
  repository = await fixtureRepository(['two_inputs', 'doubles', 'linear', 'strings', 'big_ints', 'bools']);
  for (const name of ['doubles', 'linear', 'big_ints', 'bools', 'two_inputs']) {
    servers.set(name, await startReadyServer({ MODELS_DIR: repository.path, DEFAULT_MODEL: name }, []));
  }
  servers.set('titanic', await startReadyServer({ DEFAULT_MODEL: 'titanic' }));
});

afterAll(async () => {
  for (const server of servers.values()) await server.stop();
  await repository[Symbol.asyncDispose]();
});

async function invoke(model: string, body: unknown, contentType = 'application/json') {
  const response = await fetch(`${servers.get(model)?.address}/invocations`, {
    method: 'POST',
    headers: contentType === '' ? {} : { 'content-type': contentType },
    // Bytes: fetch would give a text a content type of its own.
    body: body instanceof Uint8Array ? body : Buffer.from(typeof body === 'string' ? body : JSON.stringify(body)),
  });
  const bytes = Buffer.from(await response.arrayBuffer());
  return { status: response.status, headers: response.headers, bytes, text: bytes.toString() };
}

async function predictions(model: string, body: unknown, contentType?: string): Promise<unknown> {
  const { status, text } = await invoke(model, body, contentType);
  expect(status, text).toBe(200);
  return JSON.parse(text).predictions;
}

const passengers = [
  { pclass: 1, sex: 'female', age: 30, sibsp: 0, parch: 0, fare: 100, embarked: 'S', ticket: 'not an input' },
  { embarked: '', fare: null, parch: 0, sibsp: 0, age: null, sex: 'male', pclass: 3, ticket: '7' },
];

describe('POST /invocations', () => {
  it('takes data frames, in whose columns the inputs are found by name', async () => {
    const columns = Object.keys(passengers[0] ?? {});
    const split = { columns, data: passengers.map((row) => columns.map((name) => row[name as keyof typeof row])) };
    const byRecord = await predictions('titanic', { dataframe_records: passengers });
    expect(byRecord).toEqual([
      { survived: 1, probability: expect.any(Number) },
      { survived: 0, probability: expect.any(Number) },
    ]);
    expect(await predictions('titanic', { dataframe_split: { index: [7, 8], ...split } })).toEqual(byRecord);
    const csv = 'pclass,sex,age,sibsp,parch,fare,embarked\r\n1,female,30,0,0,100,S\r\n3,"male",,0,0,nan,""\r\n';
    expect(await predictions('titanic', csv, 'text/csv')).toEqual(byRecord);
  });

  it('takes the columns of a data frame in their order where the one input is a table', async () => {
    const expected = [{ label: 2, scores: [-6, -5, -4] }];
    const frame = { columns: ['a', 'b', 'c', 'd'], data: [[1, 0, 0, 0]] };
    expect(await predictions('linear', { dataframe_split: frame })).toEqual(expected);
    expect(await predictions('linear', { dataframe_records: [{ a: 1, b: 0, c: 0, d: 0 }] })).toEqual(expected);
    expect(await predictions('linear', 'a,b,c,d\n1,0,0,0\n', 'text/csv; charset=utf-8')).toEqual(expected);
    expect(await predictions('linear', '1,0,0,0', 'text/csv')).toEqual(expected);
  });

  it('takes columns that pandas has counted, and columns without names, in their order', async () => {
    const expected = [{ label: 2, scores: [-6, -5, -4] }];
    const data = [[1, 0, 0, 0]];
    expect(await predictions('linear', { dataframe_split: { columns: [0, 1, 2, 3], index: [0], data } })).toEqual(
      expected,
    );
    expect(await predictions('linear', { dataframe_split: { columns: [7, 3, 'a', 1.5], data } })).toEqual(expected);
    expect(await predictions('linear', { dataframe_split: { data } })).toEqual(expected);
    expect(await predictions('linear', { dataframe_split: { columns: null, data } })).toEqual(expected);
    const counted = '{"dataframe_records": [{"3": 0, "1": 0, "0": 1, "2": 0}]}';
    expect(await predictions('linear', counted)).toEqual(expected);
  });

  it('takes null for what is not given', async () => {
    const given = { dataframe_records: null, dataframe_split: null, inputs: null, instances: [[1]] };
    expect(await predictions('doubles', { ...given, params: null, parameters: null })).toEqual([[1]]);
    expect(await predictions('doubles', { instances: [[1]], params: { outputs: null } })).toEqual([[1]]);
    const input = { name: 'x', datatype: 'FP64', shape: [1, 1], data: [1], parameters: null };
    const { text } = await invoke('doubles', { id: null, parameters: null, inputs: [input], outputs: null });
    expect(JSON.parse(text)).toEqual({
      model_name: 'doubles',
      model_version: '1',
      outputs: [{ name: 'y', datatype: 'FP64', shape: [1, 1], data: [1] }],
    });
  });

  it('takes a column for an input of one column, and a column of lists for any other', async () => {
    expect(await predictions('big_ints', 'x\n9007199254740991\n-5\n', 'text/csv')).toEqual([[9007199254740991], [-5]]);
    const csv = await invoke('big_ints', 'x\n9223372036854775807\n', 'text/csv');
    expect(csv.text).toBe('{"predictions":[[9223372036854775807]]}');
    const records = [
      { a: [1, 2], b: [3, 4] },
      { a: [5, 6], b: [7, 8] },
    ];
    expect(await predictions('two_inputs', { dataframe_records: records, params: { outputs: ['sum'] } })).toEqual([
      [4, 6],
      [12, 14],
    ]);
    expect(await predictions('bools', 'x\nTrue\nfalse\n1', 'text/csv')).toEqual([true, false, true]);
  });

  it('takes instances and inputs as TensorFlow Serving does', async () => {
    expect(await predictions('doubles', { instances: [[1], [2]] })).toEqual([[1], [2]]);
    expect(await predictions('doubles', { inputs: [[1], [2]] })).toEqual([[1], [2]]);
    const inputs = { a: [[1]], b: [[2]] };
    expect(await predictions('two_inputs', { inputs })).toEqual({ sum: [[3]], difference: [[-1]] });
    const only = { inputs, params: { outputs: ['sum'] } };
    expect(await predictions('two_inputs', only)).toEqual([[3]]);
  });

  it.each(['', 'application/octet-stream', 'application/x-www-form-urlencoded', 'application/ld+json'])(
    'takes JSON of the type %j',
    async (contentType) => {
      expect(await predictions('doubles', { instances: [[1]] }, contentType)).toEqual([[1]]);
    },
  );

  it('takes requests of the Open Inference Protocol, and answers them in its form', async () => {
    const input = { name: 'x', datatype: 'FP64', shape: [1, 2], data: [1, 2] };
    const { headers, text } = await invoke('doubles', { id: 'mine', inputs: [input], outputs: [{ name: 'y' }] });
    expect(headers.get('content-type')).toBe('application/json');
    expect(JSON.parse(text)).toEqual({
      id: 'mine',
      model_name: 'doubles',
      model_version: '1',
      outputs: [{ ...input, name: 'y' }],
    });
  });

  it('takes binary tensors as Triton has them for SageMaker, the length of the JSON in the type', async () => {
    const type = (bytes: number) => `application/vnd.sagemaker-triton.binary+json;json-header-size=${bytes}`;
    const json = Buffer.from(
      JSON.stringify({
        inputs: [{ name: 'x', datatype: 'FP64', shape: [1, 2], parameters: { binary_data_size: 16 } }],
        outputs: [{ name: 'y', parameters: { binary_data: true } }],
      }),
    );
    const section = Buffer.from(Float64Array.of(1.5, -2).buffer);
    const { headers, bytes } = await invoke('doubles', Buffer.concat([json, section]), type(json.byteLength));
    const jsonBytes = Number(/json-header-size=(\d+)$/.exec(headers.get('content-type') ?? '')?.[1]);
    expect(JSON.parse(bytes.subarray(0, jsonBytes).toString())).toMatchObject({
      outputs: [{ name: 'y', shape: [1, 2], parameters: { binary_data_size: 16 } }],
    });
    expect(bytes.subarray(jsonBytes)).toEqual(section);
    expect((await invoke('doubles', json, type(10_000))).status).toBe(400);
  });

  it('says which model answered', async () => {
    const { headers } = await invoke('doubles', { instances: [[1]] });
    expect(headers.get('x-model-name')).toBe('doubles');
  });

  it.each([
    ['linear', '', 'application/json', 400, /empty/],
    ['linear', '{', 'application/json', 400, /JSON/],
    ['linear', '[]', 'application/json', 400, /dataframe_split/],
    ['linear', { columns: [] }, 'application/json', 400, /it has "columns"/],
    ['linear', { instances: [[1]], inputs: [[1]] }, 'application/json', 400, /one of/],
    ['linear', { instances: [[1, 2, 3, 4]], params: { temperature: 1 } }, 'application/json', 400, /params/],
    ['linear', { instances: [[1, 2, 3, 4]], params: { outputs: ['y'] } }, 'application/json', 400, /"label", "scores"/],
    ['linear', { dataframe_split: { columns: ['a'], data: [[1, 2]] } }, 'application/json', 400, /Row 0.*2 cells/],
    [
      'linear',
      { dataframe_split: { columns: ['a', 'b'], data: [[1, 2]] } },
      'application/json',
      400,
      /\[1, 2\].*\[-1, 4\]/,
    ],
    ['linear', { dataframe_split: { columns: ['a'], data: [] } }, 'application/json', 400, /no rows/],
    ['linear', { dataframe_split: 7 }, 'application/json', 400, /list of rows/],
    ['linear', { dataframe_split: { columns: [['a', 1]], data: [[1]] } }, 'application/json', 400, /texts or numbers/],
    ['linear', { dataframe_split: { data: [[1, 2, 3, 4], [1]] } }, 'application/json', 400, /Row 1.*expected 4/],
    ['linear', { dataframe_records: [{ a: 1, 1: 2, 2: 3, 3: 4 }] }, 'application/json', 400, /no order/],
    ['linear', { dataframe_records: [{ 1: 1, 2: 2, 3: 3, 4: 4 }] }, 'application/json', 400, /no order/],
    [
      'big_ints',
      { dataframe_split: { columns: ['x', 'x'], data: [[1, 2]] } },
      'application/json',
      400,
      /two columns "x"/,
    ],
    ['linear', { inputs: null }, 'application/json', 400, /one of/],
    ['linear', { dataframe_records: [7] }, 'application/json', 400, /list of objects/],
    ['two_inputs', { dataframe_records: [{ a: [1] }] }, 'application/json', 400, /no column for "b".*"a"/],
    ['two_inputs', '1,2', 'text/csv', 400, /no names/],
    ['linear', '', 'text/csv', 400, /empty/],
    ['linear', 'a,b,c,d\n1,2,3', 'text/csv', 400, /Row 0/],
    ['linear', 'a,b,c,d\n1,2,3,"4', 'text/csv', 400, /never closed/],
    ['linear', 'a,b,c,d\n1,2,3,x', 'text/csv', 400, /"x" of d/],
    ['bools', 'x\nmaybe', 'text/csv', 400, /"maybe" of x/],
    ['big_ints', 'x\n1.5', 'text/csv', 400, /"1.5" of x/],
    ['linear', 'abc', 'image/png', 415, /image\/png/],
  ])('of %s refuses %j as %s with %i', async (model, body, type, status, message) => {
    const { text, headers, ...answer } = await invoke(model, body, type);
    expect(answer.status, text).toBe(status);
    expect(headers.get('content-type')).toBe('application/json');
    expect(JSON.parse(text)).toEqual({ error_code: 'BAD_REQUEST', message: expect.stringMatching(message) });
  });

  it('names the choices when no default model is set', async () => {
    await using server = await startReadyServer({ MODELS_DIR: repository.path }, []);
    const response = await fetch(`${server.address}/invocations`, { method: 'POST', body: '{}' });
    expect(response.status).toBe(404);
    expect(await response.json()).toMatchObject({
      error_code: 'RESOURCE_DOES_NOT_EXIST',
      message: expect.stringContaining('doubles, linear'),
    });
  });

  it('means the only model there is', async () => {
    await using one = await fixtureRepository(['doubles']);
    await using server = await startReadyServer({ MODELS_DIR: one.path }, []);
    const { body } = await postJson(server.address, '/invocations', { instances: [[1]] });
    expect(body).toEqual({ predictions: [[1]] });
  });

  it('means the model of a domain when DEFAULT_MODEL names a domain', async () => {
    await using models = await temporaryRepository('iris');
    await using server = await startReadyServer({ MODELS_DIR: models.path, DEFAULT_MODEL: 'iris' });
    const { body } = await postJson(server.address, '/invocations', { instances: [[5.1, 3.5, 1.4, 0.2]] });
    expect(body).toMatchObject({ predictions: [{ label: 0 }] });
  });
});

describe('the other routes', () => {
  it('GET /ping and GET /health tell readiness', async () => {
    const address = servers.get('doubles')?.address;
    const ping = await fetch(`${address}/ping`);
    expect([ping.status, await ping.text()]).toEqual([200, '']);
    const health = await fetch(`${address}/health`);
    expect([health.status, await health.text()]).toEqual([200, '\n']);

    await using broken = await fixtureRepository(['broken']);
    await using server = await startReadyServer({ MODELS_DIR: broken.path }, []);
    for (const path of ['/ping', '/health']) expect((await fetch(server.address + path)).status).toBe(503);
  });

  it('GET /version tells the version', async () => {
    const response = await fetch(`${servers.get('doubles')?.address}/version`);
    expect(response.headers.get('content-type')).toBe('text/plain');
    expect(await response.text()).toBe('0.0.0-test');
  });

  it('GET /execution-parameters tells how to send a batch transform', async () => {
    const response = await fetch(`${servers.get('doubles')?.address}/execution-parameters`);
    expect(await response.json()).toEqual({
      MaxConcurrentTransforms: 8,
      BatchStrategy: 'MULTI_RECORD',
      MaxPayloadInMB: 64,
    });
  });
});
