import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startReadyServer, type TestServer } from '../helpers/server.ts';

let server: TestServer;

beforeAll(async () => {
  server = await startReadyServer();
});

afterAll(() => server.stop());

const flower = { sepal_length: 5.1, sepal_width: 3.5, petal_length: 1.4, petal_width: 0.2 };
const passenger = { pclass: 3, sex: 'male' };
const nested = `${'['.repeat(100_000)}${']'.repeat(100_000)}`;

/** Bodies that no route takes. */
const never: [string, number][] = [
  ['', 400],
  ['{', 400],
  ['NaN', 400],
  ['\u0000', 400],
  ['null', 422],
  ['[]', 422],
  ['"text"', 422],
  ['7', 422],
  ['{}', 422],
  [nested, 400],
  ['{"__proto__":{"polluted":true}}', 422],
];

const table: [path: string, body: unknown, status: number, location?: (string | number)[]][] = [
  ['/iris/predict', { ...flower, sepal_length: null }, 422, ['body', 'sepal_length']],
  ['/iris/predict', { ...flower, sepal_length: '5.1' }, 422, ['body', 'sepal_length']],
  ['/iris/predict', { ...flower, sepal_length: -1 }, 422, ['body', 'sepal_length']],
  ['/iris/predict', { ...flower, sepal_length: 1e308 }, 422, ['body', 'sepal_length']],
  ['/iris/predict', { ...flower, colour: 'blue' }, 422, ['body', 'colour']],
  ['/iris/predict', { instances: [flower] }, 422],
  ['/iris/predict/batch', flower, 422, ['body', 'instances']],
  ['/iris/predict/batch', { instances: [] }, 422, ['body', 'instances']],
  ['/iris/predict/batch', { instances: flower }, 422, ['body', 'instances']],
  ['/iris/predict/batch', { instances: [flower, 7] }, 422, ['body', 'instances', 1]],
  ['/iris/predict/batch', { instances: new Array(1001).fill(flower) }, 422, ['body', 'instances']],
  ['/titanic/predict', { ...passenger, pclass: 4 }, 422, ['body', 'pclass']],
  ['/titanic/predict', { ...passenger, pclass: 2.5 }, 422, ['body', 'pclass']],
  ['/titanic/predict', { ...passenger, sex: 'cat' }, 422, ['body', 'sex']],
  ['/titanic/predict', { ...passenger, embarked: 'X' }, 422, ['body', 'embarked']],
  ['/titanic/predict', { ...passenger, age: -3 }, 422, ['body', 'age']],
  ['/titanic/predict', { ...passenger, age: 'old' }, 422, ['body', 'age']],
  ['/titanic/predict/batch', { instances: [passenger, { sex: 'male' }] }, 422, ['body', 'instances', 1, 'pclass']],
  ['/digits/predict', { image: 7 }, 422, ['body', 'image']],
  ['/digits/predict', { image: 'not base64!' }, 422, ['body', 'image']],
  ['/digits/predict', { image: 'AAA' }, 422, ['body', 'image']],
  ['/digits/predict', { image: '' }, 415, ['body', 'image']],
  ['/digits/predict', { image: 'AAAA' }, 415, ['body', 'image']],
  ['/digits/predict/batch', { instances: [{ image: 'AAAA' }] }, 415, ['body', 'instances', 0, 'image']],
  ['/sentiment/predict', { text: '' }, 422, ['body', 'text']],
  ['/sentiment/predict', { text: '   ' }, 422, ['body', 'text']],
  ['/sentiment/predict', { text: 42 }, 422, ['body', 'text']],
  ['/sentiment/predict', { text: 'x'.repeat(10_001) }, 422, ['body', 'text']],
];

async function post(path: string, body: string) {
  const headers = { 'content-type': 'application/json' };
  const response = await fetch(new URL(path, server.address), { method: 'POST', headers, body });
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
}

const paths = ['iris', 'titanic', 'digits', 'sentiment'].flatMap((name) => [
  `/${name}/predict`,
  `/${name}/predict/batch`,
]);

describe.each(paths)('%s', (path) => {
  it.each(never)('refuses the body %.40j with %i', async (body, status) => {
    const answer = await post(path, body);
    expect(answer.status).toBe(status);
    expect(answer.body).toMatchObject({ status, errors: expect.anything() });
  });
});

describe('a bad body', () => {
  it.each(table)('for %s: %.80j is refused with %i and its place', async (path, body, status, location) => {
    const answer = await post(path, JSON.stringify(body));
    expect(answer.status).toBe(status);
    if (location !== undefined) expect(answer.body['errors']).toContainEqual(expect.objectContaining({ location }));
  });

  it('leaves the server as it was', async () => {
    const answer = await post('/iris/predict', JSON.stringify(flower));
    expect(answer).toMatchObject({ status: 200, body: { species: 'setosa' } });
  });
});

describe('forms', () => {
  const send = async (path: string, form: string) => {
    const headers = { 'content-type': 'application/x-www-form-urlencoded' };
    const response = await fetch(new URL(path, server.address), { method: 'POST', headers, body: form });
    return { status: response.status, body: (await response.json()) as Record<string, unknown> };
  };

  it('are taken by titanic, with empty fields for missing ones', async () => {
    const answer = await send('/titanic/predict', 'pclass=3&sex=female&age=&fare=7.25&embarked=S');
    expect(answer).toMatchObject({ status: 200, body: { survived: expect.any(Number), message: expect.any(String) } });
  });

  it.each([
    ['pclass=three&sex=female', ['body', 'pclass']],
    ['pclass=3', ['body', 'sex']],
    ['pclass=3&sex=female&sex=male', ['body', 'sex']],
    ['pclass=3&sex=female&colour=red', ['body', 'colour']],
    ['', ['body', 'pclass']],
  ])('such as %j are refused with the place of the fault', async (form, location) => {
    const answer = await send('/titanic/predict', form);
    expect(answer.status).toBe(422);
    expect(answer.body['errors']).toContainEqual(expect.objectContaining({ location }));
  });
});

describe('a form', () => {
  const long = 'x'.repeat(300);
  it.each([
    ['multipart/form-data', 'x'],
    ['multipart/form-data; boundary=', 'x'],
    [`multipart/form-data; boundary=${long}`, `--${long}--`],
    ['multipart/form-data; boundary=a', ''],
    ['multipart/form-data; boundary=a', 'x'],
    ['multipart/form-data; boundary=a', '--a\r\n'],
    ['multipart/form-data; boundary=a', '--a\r\ncontent-disposition: form-data; name="file"; filename="x"\r\n\r\nx'],
    ['multipart/form-data; boundary=a', '--a\r\ncontent-disposition: form-data; name="__proto__"\r\n\r\nx\r\n--a--'],
  ])('of type %.60s with the body %j is refused', async (type, body) => {
    const url = new URL('/digits/predict', server.address);
    const response = await fetch(url, { method: 'POST', headers: { 'content-type': type }, body });
    expect(response.status).toBeGreaterThanOrEqual(400);
    expect(response.status).toBeLessThan(500);
    expect(await response.json()).toMatchObject({ status: response.status, detail: expect.any(String) });
  });
});
