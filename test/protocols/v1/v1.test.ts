import { cp } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fixtureModelsDir, fixtureRepository, type TemporaryFolder } from '../../helpers/folder.ts';
import { startReadyServer, type TestServer } from '../../helpers/server.ts';

let repository: TemporaryFolder;
let server: TestServer;

beforeAll(async () => {
  const manifest = { versionPolicy: 'all', versionLabels: { stable: 1, canary: 2 } };
  repository = await fixtureRepository(
    ['two_inputs', 'linear', 'strings', 'big_ints', 'doubles', 'scalar', 'lies', 'broken'],
    {
      'doubles/model.json': JSON.stringify(manifest),
    },
  );
  await cp(join(fixtureModelsDir, 'doubles.onnx'), join(repository.path, 'doubles', '2', 'model.onnx'));
  server = await startReadyServer({ MODELS_DIR: repository.path }, []);
});

afterAll(async () => {
  await server.stop();
  await repository[Symbol.asyncDispose]();
});

async function post(path: string, body: unknown, contentType: string | undefined = 'application/json') {
  const response = await fetch(`${server.address}/v1/models/${path}`, {
    method: 'POST',
    headers: contentType === '' ? {} : { 'content-type': contentType },
    // Bytes: fetch would give a text a content type of its own.
    body: new TextEncoder().encode(typeof body === 'string' ? body : JSON.stringify(body)),
  });
  return { status: response.status, headers: response.headers, text: await response.text() };
}

async function predict(path: string, body: unknown) {
  const { status, text } = await post(`${path}:predict`, body);
  return { status, body: JSON.parse(text) };
}

async function get(path: string) {
  const response = await fetch(`${server.address}/v1/${path}`);
  return { status: response.status, body: await response.json() };
}

it('says that the server is alive where KServe asks', async () => {
  const response = await fetch(server.address);
  expect([response.status, await response.json()]).toEqual([200, { status: 'alive' }]);
});

describe('instances', () => {
  it('are the rows of the one input, and predictions the rows of the one output', async () => {
    expect(
      await predict('doubles', {
        instances: [
          [1, 2],
          [3, 4],
        ],
      }),
    ).toEqual({
      status: 200,
      body: {
        predictions: [
          [1, 2],
          [3, 4],
        ],
      },
    });
  });

  it('are objects where there are several inputs, and predictions where there are several outputs', async () => {
    const instances = [
      { a: [1, 2], b: [3, 4] },
      { b: [30, 40], a: [10, 20] },
    ];
    expect((await predict('two_inputs', { instances, signature_name: 'serving_default' })).body).toEqual({
      predictions: [
        { sum: [4, 6], difference: [-2, -2] },
        { sum: [40, 60], difference: [-20, -20] },
      ],
    });
    expect((await predict('doubles', { instances: [{ x: [1] }] })).body).toEqual({ predictions: [[1]] });
  });

  it('take texts as base64', async () => {
    const b64 = Buffer.from('한국어').toString('base64');
    expect((await predict('strings', { instances: [[{ b64 }, 'plain']] })).body).toEqual({
      predictions: [['한국어', 'plain']],
    });
  });

  it('may be bare where a row of the input has one element, as the columns of a table have', async () => {
    const expected = { status: 200, body: { predictions: [[30], [-1]] } };
    expect(await predict('big_ints', { instances: [{ x: 30 }, { x: [-1] }] })).toEqual(expected);
    expect(await predict('big_ints', { instances: [30, -1] })).toEqual(expected);
    // Of any number of elements, none is meant.
    expect((await predict('doubles', { instances: [30, -1] })).status).toBe(400);
    expect((await predict('big_ints', { inputs: [30, -1] })).status).toBe(400);
  });

  it.each([1, 3])(
    'without a prediction for each are refused, such as %i of a model that gives twice as many',
    async (rows) => {
      const instances = new Array(rows).fill([1, 2, 3, 4]);
      const { status, body } = await predict('lies', { instances });
      expect(status).toBe(400);
      expect(body.error).toContain(`a value for each of ${rows} rows ("y" is [${2 * rows},4]): use inputs`);
      expect((await predict('lies', { inputs: instances })).body.outputs).toHaveLength(2 * rows);
    },
  );

  it('keep every digit of 64-bit integers, and NaN', async () => {
    const body = '{"instances":[[9223372036854775807],[-9007199254740993]]}';
    expect((await post('big_ints:predict', body)).text).toBe(body.replace('instances', 'predictions'));
    expect((await post('doubles:predict', '{"instances":[[NaN]]}')).text).toBe('{"predictions":[["NaN"]]}');
  });
});

describe('inputs', () => {
  it('are the tensor of the one input, and outputs the tensor of the one output', async () => {
    expect((await predict('doubles', { inputs: [[1, 2]] })).body).toEqual({ outputs: [[1, 2]] });
    expect((await predict('scalar', { inputs: 7 })).body).toEqual({ outputs: 7 });
  });

  it('are tensors by name where there are several, and so are outputs', async () => {
    const inputs = { a: [[1], [2]], b: [[10]] };
    expect((await predict('two_inputs', { inputs })).body).toEqual({
      outputs: { sum: [[11], [12]], difference: [[-9], [-8]] },
    });
  });
});

describe('a prediction', () => {
  it.each(['', 'application/x-www-form-urlencoded', 'text/plain', 'application/octet-stream', 'nonsense'])(
    'is JSON whatever the content type says, such as %j',
    async (contentType) => {
      expect(await post('doubles:predict', { instances: [[1]] }, contentType)).toMatchObject({ status: 200 });
    },
  );

  it.each([
    ['doubles', '2'],
    ['doubles/versions/1', '1'],
    ['doubles/versions/2', '2'],
    ['doubles/labels/stable', '1'],
    ['doubles/labels/canary', '2'],
  ])('by %s is of version %s', async (path, version) => {
    const { status, headers } = await post(`${path}:predict`, { instances: [[1]] });
    expect(status).toBe(200);
    expect(headers.get('x-model-version')).toBe(version);
    expect(headers.get('server-timing')).toContain('infer');
  });

  it.each([
    ['doubles', '', 400, /empty/],
    ['doubles', '{', 400, /JSON/],
    ['doubles', '[]', 400, /object with instances or inputs/],
    ['doubles', '{}', 400, /instances or inputs/],
    ['doubles', { instances: [[1]], inputs: [[1]] }, 400, /not both/],
    ['doubles', { instances: [] }, 400, /at least one/],
    ['doubles', { instances: 7 }, 400, /list/],
    ['doubles', { instances: [[1], [1, 2]] }, 400, /element 1/],
    ['doubles', { instances: [['x']] }, 400, /"x"/],
    ['doubles', { instances: [[1]], signature_name: 'other' }, 400, /signature "other"/],
    ['two_inputs', { instances: [[1]] }, 400, /"a", "b"/],
    ['two_inputs', { instances: [{ a: [1], b: [1] }, { a: [1] }] }, 400, /instance 1/],
    ['two_inputs', { instances: [{ a: [1], b: [1] }, 7] }, 400, /instance 1/],
    ['two_inputs', { instances: [{ a: [1], b: [1], c: 1 }] }, 400, /no input "c"/],
    ['two_inputs', { inputs: [[1]] }, 400, /"a", "b"/],
    ['strings', { instances: [[{ b64: '***' }, 'a']] }, 400, /base64/],
    ['strings', { instances: [[{ b64: '/w==' }, 'a']] }, 400, /UTF-8/],
    ['scalar', { inputs: 7, x: 1 }, 200, /outputs/],
    ['doubles', { instances: [[1]], signature_name: '' }, 200, /predictions/],
    ['doubles', { instances: [[1]], signature_name: null, inputs: null }, 200, /predictions/],
    ['doubles', { inputs: [[1]], instances: null }, 200, /outputs/],
    ['doubles', { inputs: null, instances: null }, 400, /instances or inputs/],
    ['doubles', { instances: [[1]], signature_name: 7 }, 400, /signature 7/],
    ['nope', { instances: [[1]] }, 404, /nope/],
    ['doubles/versions/9', { instances: [[1]] }, 404, /9/],
    ['doubles/labels/old', { instances: [[1]] }, 404, /stable, canary/],
    ['broken', { instances: [[1]] }, 503, /broken/],
  ])('of %s with %j is answered with %i', async (path, body, status, text) => {
    const answer = await post(`${path}:predict`, body);
    expect(answer.status).toBe(status);
    const { error, ...others } = JSON.parse(answer.text);
    if (status === 200) return;
    expect(others).toEqual({});
    expect(error).toMatch(text);
    expect(answer.headers.get('content-type')).toBe('application/json');
  });

  it('cannot be had by a route that is not there', async () => {
    const { status, text } = await post('doubles:guess', {});
    expect([status, Object.keys(JSON.parse(text))]).toEqual([404, ['error']]);
    expect(await get('models/doubles:predict')).toMatchObject({
      status: 405,
      body: { error: expect.stringContaining('POST') },
    });
  });

  it.each(['classify', 'regress', 'explain'])('cannot be had by :%s', async (verb) => {
    const { status, text } = await post(`doubles:${verb}`, {});
    expect(status).toBe(501);
    expect(JSON.parse(text)).toEqual({ error: `:${verb} is not supported; use :predict` });
  });
});

describe('the status', () => {
  const ok = { error_code: 'OK', error_message: '' };

  it('of a model has what KServe and what TensorFlow Serving ask for', async () => {
    expect(await get('models/doubles')).toEqual({
      status: 200,
      body: {
        name: 'doubles',
        ready: true,
        model_version_status: [
          { version: '2', state: 'AVAILABLE', status: ok },
          { version: '1', state: 'AVAILABLE', status: ok },
        ],
      },
    });
  });

  it('is that of the version alone where one is named', async () => {
    for (const path of ['versions/1', 'labels/stable']) {
      const { body } = await get(`models/doubles/${path}`);
      expect(body).toMatchObject({ model_version_status: [{ version: '1' }] });
    }
  });

  it('of a model that could not be loaded is 503 with the reason', async () => {
    expect(await get('models/broken')).toMatchObject({
      status: 503,
      body: {
        ready: false,
        error: expect.stringContaining('broken'),
        model_version_status: [{ state: 'END', status: { error_code: 'UNAVAILABLE' } }],
      },
    });
  });

  it('of an unknown model is 404', async () => {
    expect(await get('models/nope')).toMatchObject({ status: 404, body: { error: expect.stringContaining('nope') } });
    expect((await get('models/doubles/versions/5')).status).toBe(404);
    expect((await get('models/nope/metadata')).status).toBe(404);
  });

  it('of all is a list of names', async () => {
    const names = ['big_ints', 'broken', 'doubles', 'lies', 'linear', 'scalar', 'strings', 'two_inputs'];
    expect(await get('models')).toMatchObject({ status: 200, body: { models: names, object: 'list' } });
  });
});

describe('the metadata', () => {
  it('describes inputs and outputs as TensorFlow does', async () => {
    const { body } = await get('models/linear/metadata');
    expect(body).toMatchObject({
      model_spec: { name: 'linear', version: '1' },
      metadata: {
        signature_def: {
          signature_def: {
            serving_default: {
              inputs: { x: { dtype: 'DT_FLOAT', tensor_shape: { dim: [{ size: '-1' }, { size: '4' }] }, name: 'x' } },
              outputs: { label: { dtype: 'DT_INT64' }, scores: { dtype: 'DT_FLOAT' } },
            },
          },
        },
      },
    });
  });
});
