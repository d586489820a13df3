import { readFile } from 'node:fs/promises';
import { deflateSync, gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type TestDatabase, temporaryDatabase } from '../../helpers/database.ts';
import { type TemporaryFolder, temporaryRepository } from '../../helpers/folder.ts';
import { startReadyServer, type TestServer } from '../../helpers/server.ts';
import { flower, whenTasksAreReady } from '../../helpers/tasks.ts';

const bodyLimitBytes = 16 * 1024;

let database: TestDatabase;
let repository: TemporaryFolder;
let server: TestServer;

beforeAll(async () => {
  database = await temporaryDatabase('embedded');
  repository = await temporaryRepository('iris', 'titanic', 'digits');
  server = await startReadyServer({
    ...database.environment,
    MODELS_DIR: repository.path,
    DEFAULT_MODEL: 'iris',
    BODY_LIMIT_BYTES: String(bodyLimitBytes),
  });
  await whenTasksAreReady(server.address);
});

afterAll(async () => {
  await server.stop();
  await repository[Symbol.asyncDispose]();
  await database[Symbol.asyncDispose]();
});

async function send(path: string, body: Uint8Array | FormData, headers: Record<string, string>, method = 'POST') {
  const response = await fetch(new URL(path, server.address), { method, headers, body });
  return { status: response.status, text: await response.text() };
}

const features = [[5.1, 3.5, 1.4, 0.2]];
const tensor = { name: 'features', datatype: 'FP32', shape: [1, 4], data: features[0] };
const json = 'application/json';

/** Every route that takes a body, with one that it answers. */
const routes: [path: string, type: string, body: string][] = [
  ['/iris/predict', json, JSON.stringify(flower)],
  ['/iris/predict/batch', json, JSON.stringify({ instances: [flower] })],
  ['/iris/tasks', json, JSON.stringify(flower)],
  ['/predict', json, JSON.stringify(flower)],
  ['/titanic/predict', 'application/x-www-form-urlencoded', 'pclass=3&sex=female'],
  ['/models/iris/predict', json, JSON.stringify({ features })],
  ['/models/iris/versions/1/predict', json, JSON.stringify({ features })],
  ['/models/iris/tasks', json, JSON.stringify({ features })],
  ['/v1/models/iris:predict', json, JSON.stringify({ instances: features })],
  ['/v2/models/iris/infer', json, JSON.stringify({ inputs: [tensor] })],
  ['/v2/repository/index', json, '{}'],
  ['/invocations', json, JSON.stringify({ instances: features })],
  ['/invocations', 'text/csv', features.join()],
];

describe.each(routes)('%s as %s', (path, type, body) => {
  it.each([
    ['gzip', gzipSync],
    ['x-gzip', gzipSync],
    ['deflate', deflateSync],
    ['identity', (text: string) => Buffer.from(text)],
  ])('takes a body that is compressed by %s', async (coding, compress) => {
    const answer = await send(path, compress(body), { 'content-type': type, 'content-encoding': coding });
    expect([200, 202], answer.text).toContain(answer.status);
  });

  it('names the limit and its setting when there is more, also of what is unpacked', async () => {
    const padded = body + ' '.repeat(bodyLimitBytes);
    const bomb = gzipSync(padded);
    expect(bomb.byteLength).toBeLessThan(bodyLimitBytes);
    for (const [bytes, coding] of [
      [Buffer.from(padded), 'identity'],
      [bomb, 'gzip'],
    ] as const) {
      const answer = await send(path, bytes, { 'content-type': type, 'content-encoding': coding });
      expect(answer).toMatchObject({
        status: 413,
        text: expect.stringMatching(/16384 bytes are allowed \(BODY_LIMIT_BYTES\)/),
      });
    }
    async function* chunks() {
      yield Buffer.from(padded.slice(0, 8192));
      yield Buffer.from(padded.slice(8192));
    }
    const streamed = await fetch(new URL(path, server.address), {
      method: 'POST',
      headers: { 'content-type': type },
      body: ReadableStream.from(chunks()),
      duplex: 'half',
    });
    expect([streamed.status, await streamed.text()]).toEqual([413, expect.stringContaining('BODY_LIMIT_BYTES')]);
  });

  it('refuses other codings, and what is not of the coding', async () => {
    const headers = { 'content-type': type };
    expect(await send(path, Buffer.from(body), { ...headers, 'content-encoding': 'br' })).toMatchObject({
      status: 415,
    });
    expect(await send(path, Buffer.from(body), { ...headers, 'content-encoding': 'gzip, gzip' })).toMatchObject({
      status: 415,
    });
    expect(await send(path, Buffer.from(body), { ...headers, 'content-encoding': 'gzip' })).toMatchObject({
      status: 400,
      text: expect.stringContaining('gzip'),
    });
    const cut = gzipSync(body).subarray(0, -9);
    expect(await send(path, cut, { ...headers, 'content-encoding': 'gzip' })).toMatchObject({ status: 400 });
  });

  it('repairs no bytes that are not UTF-8, and takes a byte order mark', async () => {
    const headers = { 'content-type': type };
    const broken = Buffer.concat([Buffer.from(body.slice(0, -1)), Buffer.of(0xff), Buffer.from(body.slice(-1))]);
    expect(await send(path, broken, headers)).toMatchObject({ status: 400, text: expect.stringMatching(/UTF-8/) });
    const marked = await send(path, Buffer.from(`\ufeff${body}`), headers);
    expect([200, 202], marked.text).toContain(marked.status);
  });
});

describe('a form', () => {
  const headers = { 'content-type': 'application/x-www-form-urlencoded' };

  it('is read as browsers and curl write it', async () => {
    const answer = await send(
      '/titanic/predict',
      Buffer.from('pclass=3&sex=fem%61le&age=&fare=7%2E25&embarked=S'),
      headers,
    );
    expect(answer).toMatchObject({ status: 200 });
    expect(await send('/titanic/predict', Buffer.from('pclass=3&sex=fem+ale'), headers)).toMatchObject({
      status: 422,
      text: expect.stringContaining('sex'),
    });
    expect(await send('/titanic/predict', Buffer.from('pclass=3&sex=100%'), headers)).toMatchObject({ status: 422 });
  });

  it('is refused with escaped bytes that are not UTF-8, and with too many fields', async () => {
    expect(await send('/titanic/predict', Buffer.from('pclass=3&sex=%ff'), headers)).toMatchObject({ status: 400 });
    const many = await send('/titanic/predict', Buffer.from('a=1&'.repeat(1001)), headers);
    expect(many).toMatchObject({ status: 413, text: expect.stringContaining('1000 fields') });
  });
});

describe('a form of files', () => {
  const picture = () => readFile(new URL('../../../docs/examples/two.png', import.meta.url));
  const form = async (texts: readonly (readonly [string, string])[], files = 1) => {
    const data = new FormData();
    for (const [name, value] of texts) data.append(name, value);
    for (let i = 0; i < files; i += 1) data.append('file', new Blob([await picture()]), 'two.png');
    return data;
  };

  it('may have texts of other names, which are not used', async () => {
    const texts = [
      ['comment', 'a two'],
      ['session', '7'],
    ] as const;
    expect(await send('/digits/predict', await form(texts), {})).toMatchObject({
      status: 200,
      text: expect.stringContaining('"digit":2'),
    });
  });

  it('may have no text in the place of the file', async () => {
    const answer = await send('/digits/predict', await form([['file', 'two.png']], 0), {});
    expect(answer).toMatchObject({ status: 422, text: expect.stringMatching(/Expected a file in/) });
    expect(JSON.parse(answer.text).errors).toMatchObject([{ location: ['body', 'file'], type: 'invalid_type' }]);
    expect(await send('/digits/predict', await form([['comment', 'x']], 0), {})).toMatchObject({
      status: 422,
      text: expect.stringContaining('missing'),
    });
  });

  it('names its limits', async () => {
    const texts = Array.from({ length: 65 }, (_, index) => [`t${index}`, ''] as const);
    expect(await send('/digits/predict', await form(texts), {})).toMatchObject({
      status: 413,
      text: expect.stringContaining('64 texts'),
    });
    expect(await send('/digits/predict/batch', await form([], 65), {})).toMatchObject({
      status: 413,
    });
    const large = new FormData();
    large.append('file', new Blob([new Uint8Array(bodyLimitBytes + 1)]), 'large.png');
    expect(await send('/digits/predict', large, {})).toMatchObject({
      status: 413,
      text: expect.stringContaining('BODY_LIMIT_BYTES'),
    });
  });

  it('cannot be compressed', async () => {
    const body = gzipSync('--a--');
    const headers = { 'content-type': 'multipart/form-data; boundary=a', 'content-encoding': 'gzip' };
    expect(await send('/digits/predict', body, headers)).toMatchObject({ status: 415 });
  });
});

describe('DELETE', () => {
  it.each(['application/json', 'application/x-www-form-urlencoded', 'text/plain'])(
    'without a body may say that it is %s',
    async (type) => {
      const taken = await send('/iris/tasks?delay_s=3600', Buffer.from(JSON.stringify(flower)), {
        'content-type': json,
      });
      const { url } = JSON.parse(taken.text);
      const answer = await fetch(new URL(url, server.address), { method: 'DELETE', headers: { 'content-type': type } });
      expect([answer.status, await answer.json()]).toEqual([200, expect.objectContaining({ state: 'cancelled' })]);
    },
  );
});
