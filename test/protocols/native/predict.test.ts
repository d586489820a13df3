import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fixtureRepository, type TemporaryFolder } from '../../helpers/folder.ts';
import { postJson, startReadyServer, type TestServer } from '../../helpers/server.ts';

const names = ['linear', 'two_inputs', 'big_ints', 'strings', 'bools', 'doubles', 'half', 'scalar', 'fixed_first'];
const labels = JSON.stringify({ labels: { label: ['red', 'green'], scores: ['red', 'green', 'red'] } });

let repository: TemporaryFolder;
let server: TestServer;

beforeAll(async () => {
  repository = await fixtureRepository(names, { 'linear/model.json': labels });
  server = await startReadyServer({ MODELS_DIR: repository.path }, []);
});

afterAll(async () => {
  await server.stop();
  await repository[Symbol.asyncDispose]();
});

interface Answer {
  readonly [output: string]: unknown;
  readonly code?: string;
  readonly errors?: readonly { readonly location: readonly (string | number)[] }[];
}

async function predict(model: string, body: unknown, query = '') {
  const answer = await postJson(server.address, `/models/${model}/predict${query}`, body);
  return { ...answer, body: answer.body as Answer };
}

/** The body of the answer as it is written, for `JSON.parse` would round it. */
async function predictText(model: string, body: string): Promise<string> {
  const headers = { 'content-type': 'application/json' };
  const response = await fetch(`${server.address}/models/${model}/predict`, { method: 'POST', headers, body });
  return response.text();
}

describe('POST /models/{name}/predict', () => {
  it('takes inputs by name and gives outputs by name, as nested lists', async () => {
    const { status, body } = await predict('two_inputs', { a: [[1, 2, 3]], b: [[10, 20, 30]] });
    expect(status).toBe(200);
    expect(body).toEqual({ sum: [[11, 22, 33]], difference: [[-9, -18, -27]] });
  });

  it('gives every row of a batch in its order', async () => {
    const rows = Array.from({ length: 100 }, (_, row) => [row, row + 0.5]);
    expect((await predict('doubles', { x: rows })).body).toEqual({ y: rows });
  });

  it('says which model answered and where the time went', async () => {
    const { headers } = await predict('doubles', { x: [[1]] });
    expect(headers.get('x-model-name')).toBe('doubles');
    expect(headers.get('x-model-version')).toBe('1');
    expect(headers.get('server-timing')).toMatch(/queue;dur=.*infer;dur=.*encode;dur=.*decode;dur=/);
  });

  it('keeps every digit of 64-bit integers both ways', async () => {
    const body = '{"x":[[9223372036854775807],[-9223372036854775808],[9007199254740993]]}';
    expect(await predictText('big_ints', body)).toBe(body.replace('x', 'y'));
  });

  it.each([
    ['bools', { x: [true, false] }],
    [
      'strings',
      {
        x: [
          ['한국어', ''],
          ['\u{1f600}', 'b'],
        ],
      },
    ],
    ['half', { x: [[0.5, -2]] }],
    ['scalar', { x: 2.5 }],
    ['doubles', { x: [] }],
    ['doubles', { x: [['NaN', 'Infinity', '-Infinity']] }],
    ['big_ints', { x: [] }],
  ])('gives what %s takes: %j', async (model, body) => {
    const answer = await predict(model, body);
    expect(answer.status).toBe(200);
    expect(answer.body).toEqual({ y: body.x });
  });

  it('gives the wanted outputs alone', async () => {
    const inputs = { a: [[1]], b: [[2]] };
    expect((await predict('two_inputs', inputs, '?outputs=sum')).body).toEqual({ sum: [[3]] });
    expect(Object.keys((await predict('two_inputs', inputs, '?outputs=sum,difference')).body)).toHaveLength(2);
  });

  it('serves the version that is asked for', async () => {
    const answer = await postJson(server.address, '/models/doubles/versions/1/predict', { x: [[1]] });
    expect(answer).toMatchObject({ status: 200, body: { y: [[1]] } });
  });

  it('is what POST /predict means when DEFAULT_MODEL names a model without a domain', async () => {
    await using other = await startReadyServer({ MODELS_DIR: repository.path, DEFAULT_MODEL: 'doubles' }, []);
    expect((await postJson(other.address, '/predict', { x: [[1]] })).body).toEqual({ y: [[1]] });
  });
});

describe('class labels', () => {
  const x = [
    [1, 0, 0, 0],
    [0, 0, 0, 1],
  ];

  it('turn indices into names, and values into values by name; a name that two classes have gets the index', async () => {
    expect((await predict('linear', { x })).body).toEqual({
      label: [2, 2],
      scores: [
        { 'red (0)': -6, green: -5, 'red (2)': -4 },
        { 'red (0)': 3, green: 4, 'red (2)': 5 },
      ],
    });
    expect((await predict('linear', { x: [[0, 0, 0, 0]] }, '?outputs=label')).body).toEqual({ label: ['red'] });
  });

  it('give the best classes of each row by ?top', async () => {
    const { body } = await predict('linear', { x }, '?top=2&outputs=scores');
    expect(body).toEqual({
      scores: [
        [
          { label: 'red (2)', score: -4 },
          { label: 'green', score: -5 },
        ],
        [
          { label: 'red (2)', score: 5 },
          { label: 'green', score: 4 },
        ],
      ],
    });
  });

  it('are left out by ?labels=false', async () => {
    expect((await predict('linear', { x: x.slice(0, 1) }, '?labels=false')).body).toEqual({
      label: [2],
      scores: [[-6, -5, -4]],
    });
  });

  it.each([
    ['linear', '?top=0'],
    ['linear', '?top=two'],
    ['linear', '?top=1&labels=false'],
    ['linear', '?top=1&outputs=label'],
    ['linear', '?labels=maybe'],
  ])('are refused for %s with %s', async (model, query) => {
    const answer = await predict(model, { x }, query);
    expect(answer).toMatchObject({ status: 422, body: { code: 'VALIDATION_FAILED' } });
    expect(answer.body.errors?.[0]?.location[0]).toBe('query');
  });
});

describe('a request that does not fit', () => {
  it.each([
    [{ a: [[1]] }, 422, ['body', 'b'], 'missing_input'],
    [{ a: [[1]], b: [[1]], c: 1 }, 422, ['body', 'c'], 'unknown_input'],
    [{ a: [[1, 'two']], b: [[1, 2]] }, 400, ['body', 'a', 0, 1], 'invalid_type'],
    [{ a: [[1], [1, 2]], b: [[1]] }, 400, ['body', 'a', 1], 'shape_mismatch'],
    ['{"a": [[1]], "b": [[1]], "__proto__": 1}', 422, ['body', '__proto__'], 'unknown_input'],
    [{ a: [1], b: [[1]] }, 400, ['body', 'a'], 'shape_mismatch'],
    [{ a: [[1e39]], b: [[1]] }, 400, ['body', 'a', 0, 0], 'out_of_range'],
    [{ a: null, b: [[1]] }, 400, ['body', 'a'], 'shape_mismatch'],
    [[], 422, ['body'], 'invalid_type'],
    ['null', 422, ['body'], 'invalid_type'],
    ['{"a":', 400, ['body'], 'malformed_json'],
    ['', 400, ['body'], 'malformed_json'],
  ])('%j is refused with %i at %j', async (body, status, location, type) => {
    const answer = await predict('two_inputs', body);
    expect(answer.status).toBe(status);
    expect(answer.body.errors).toContainEqual(expect.objectContaining({ location, type }));
  });

  it('is told every fault at once', async () => {
    const { body } = await predict('two_inputs', { a: [['x']], c: 1 });
    expect(body.code).toBe('SIGNATURE_MISMATCH');
    expect(body.errors?.map(({ location }) => location[1])).toEqual(['b', 'c', 'a']);
  });

  it('names outputs that there are when it wants another', async () => {
    const { status, body } = await predict('two_inputs', { a: [[1]], b: [[1]] }, '?outputs=sum,product');
    expect(status).toBe(422);
    expect(body).toMatchObject({
      code: 'SIGNATURE_MISMATCH',
      detail: expect.stringContaining('"sum", "difference"'),
      errors: [{ location: ['query', 'outputs'] }],
    });
  });

  it('cannot name a model or a version that is not there', async () => {
    expect(await predict('nope', {})).toMatchObject({ status: 404, body: { code: 'MODEL_NOT_FOUND' } });
    const answer = await postJson(server.address, '/models/doubles/versions/7/predict', {});
    expect(answer).toMatchObject({ status: 404, body: { code: 'VERSION_NOT_FOUND' } });
  });

  it('may be refused by the model itself', async () => {
    const answer = await predict('two_inputs', { a: [[1, 2]], b: [[1, 2, 3]] });
    expect(answer).toMatchObject({ status: 422, body: { code: 'MODEL_REFUSED_INPUT' } });
  });

  it('must be JSON by its content type', async () => {
    const answer = await postJson(server.address, '/models/doubles/predict', {}, { 'content-type': 'text/plain' });
    expect(answer).toMatchObject({ status: 415, body: { code: 'UNSUPPORTED_MEDIA_TYPE' } });
  });
});
