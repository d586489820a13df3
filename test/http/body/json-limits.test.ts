import { once } from 'node:events';
import { connect } from 'node:net';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { defineDomain } from '../../../src/domains/define-domain.ts';
import { iris } from '../../../src/domains/iris/iris.ts';
import { fixtureRepository, type TemporaryFolder } from '../../helpers/folder.ts';
import { addIdentityModel } from '../../helpers/identity-model.ts';
import { startReadyServer, type TestServer } from '../../helpers/server.ts';

const doubles = {
  inputs: [{ name: 'x', datatype: 'FP64', shape: [-1, -1] }],
  outputs: [{ name: 'y', datatype: 'FP64', shape: [-1, -1] }],
} as const;

let repository: TemporaryFolder;
let server: TestServer;

beforeAll(async () => {
  repository = await fixtureRepository(['doubles', 'strings']);
  await addIdentityModel(repository.path, 'whole', 'INT64');
  server = await startReadyServer(
    {
      MODELS_DIR: repository.path,
      DEFAULT_MODEL: 'doubles',
      JSON_LIMIT_BYTES: '200000',
      COMPRESSION_RATIO_LIMIT: '20',
      TABLE_LIMIT_CELLS: '10000',
    },
    [defineDomain({ ...iris, model: 'doubles', signature: doubles })],
  );
});

afterAll(async () => {
  await server.stop();
  await repository[Symbol.asyncDispose]();
});

async function post(
  path: string,
  body: string | Uint8Array,
  headers: Record<string, string> = {},
  { address } = server,
) {
  const response = await fetch(new URL(path, address), {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: Buffer.from(body),
  });
  return { status: response.status, headers: response.headers, text: await response.text() };
}

const numbers = (count: number, write = (index: number) => String(index / 8)) =>
  Array.from({ length: count }, (_, index) => write(index)).join(',');

describe('large JSON', () => {
  const count = 200_000;
  const expected = Array.from({ length: count }, (_, index) => index / 8);

  it.each([
    [
      '/v2/models/doubles/infer',
      (data: string) => `{"inputs":[{"data":[${data}],"name":"x","datatype":"FP64","shape":[1,${count}]}]}`,
    ],
    [
      '/v2/models/doubles/infer',
      (data: string) => `{"inputs":[{"name":"x","datatype":"FP64","shape":[1,${count}],"data":[[${data}]]}]}`,
    ],
    ['/models/doubles/predict', (data: string) => `{"x": [ [${data}]\n] }`],
    ['/v1/models/doubles:predict', (data: string) => `{"instances":[[${data}]]}`],
    ['/invocations', (data: string) => `{"inputs":{"x":[[${data}]]}}`],
  ])('of tensors is read as small JSON is: %s', async (path, body) => {
    const { status, text } = await post(path, body(numbers(count)));
    expect(status, text.slice(0, 500)).toBe(200);
    const answer = JSON.parse(text);
    const [output] = answer.outputs ?? [];
    expect((output?.data ?? answer.y ?? answer.predictions ?? answer.outputs).flat(2)).toEqual(expected);
  });

  it('keeps every digit of whole numbers', async () => {
    const write = (index: number) => String(9007199254740993n + BigInt(index));
    const { text } = await post('/models/whole/predict', `{"x":[[${numbers(20_000, write)}]]}`);
    expect(text).toBe(`{"y":[[${numbers(20_000, write)}]]}`);
  });

  it.each([
    [`{"x":[[${numbers(50_000)}]`, 400],
    [`{"x":[[${numbers(50_000)},]]}`, 400],
    [`{"x":[[${numbers(50_000)}]]}}`, 400],
    [`{"x":[[${numbers(50_000)}],]}`, 400],
    [`{"x":[[${numbers(50_000)}}]}`, 400],
    [`{"x":-[[${numbers(50_000)}]]}`, 400],
    [`{"x"[[${numbers(50_000)}]]}`, 400],
    [`{"x":[[${numbers(50_000)},"text"]]}`, 400],
    [`{"x":[[${numbers(50_000)},"${'y'.repeat(300_000)}"]]}`, 413],
    [`{"x":[[1${' '.repeat(100_000)}]]}`, 400],
    [`${'['.repeat(100_000)}`, 400],
    [`{"x":[[${numbers(50_000)},"\u0001"]]}`, 400],
  ])('that is broken is refused: %.20s…, %i', async (body, expected) => {
    expect(await post('/models/doubles/predict', body)).toMatchObject({ status: expected });
  });

  it('of no tensors may have JSON_LIMIT_BYTES', async () => {
    const body = `{"sepal_length":"${'x'.repeat(300_000)}"}`;
    for (const headers of [{}, { 'content-encoding': 'gzip' }]) {
      const sent = 'content-encoding' in headers ? gzipSync(body) : body;
      expect(await post('/iris/predict', sent, headers)).toMatchObject({
        status: 413,
        text: expect.stringMatching(/200000 bytes are allowed \(JSON_LIMIT_BYTES\)|COMPRESSION_RATIO_LIMIT/),
      });
    }
  });
});

describe('a compressed body', () => {
  it('may become COMPRESSION_RATIO_LIMIT times as large, or a mebibyte', async () => {
    const zeros = (count: number) => gzipSync(`{"x":[[${'0,'.repeat(count)}0]]}`);
    const headers = { 'content-encoding': 'gzip' };
    expect((await post('/models/doubles/predict', zeros(400_000), headers)).status).toBe(200);
    expect(await post('/models/doubles/predict', zeros(800_000), headers)).toMatchObject({
      status: 413,
      text: expect.stringContaining('1048576 bytes are allowed (COMPRESSION_RATIO_LIMIT), decompressed too'),
    });
  });
});

describe('the bodies of all requests', () => {
  const head = (bytes: number) =>
    `POST /models/doubles/predict HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: ${bytes}\r\n\r\n`;

  it('may have BODIES_LIMIT_BYTES, and room is there again when a request has ended', async () => {
    await using other = await startReadyServer({ MODELS_DIR: repository.path, BODIES_LIMIT_BYTES: '4000000' }, []);
    const predict = (body: string | Uint8Array, headers = {}) => post('/models/doubles/predict', body, headers, other);
    const { hostname, port } = new URL(other.address);
    const holder = connect(Number(port), hostname);
    onTestFinished(() => void holder.destroy());
    await once(holder, 'connect');
    holder.write(`${head(3_900_000)}{`);
    const body = `{"x":[[${numbers(40_000)}]]}`;
    await expect.poll(async () => (await predict(body)).status).toBe(503);
    const refused = await predict(body);
    expect(refused.headers.get('retry-after')).toBe('1');
    expect(refused.text).toContain('4000000 bytes together (BODIES_LIMIT_BYTES)');
    expect((await predict(gzipSync(body), { 'content-encoding': 'gzip' })).status).toBe(503);
    expect((await predict('{"x":[[1]]}')).status).toBe(200);
    holder.destroy();
    await expect.poll(async () => (await predict(body)).status).toBe(200);
  });
});

describe('a data frame', () => {
  const records = (count: number, name: (index: number) => string) =>
    Array.from({ length: count }, (_, index) => `{${JSON.stringify(name(index))}:1}`).join(',');

  it.each([
    [
      'records, each with a name of its own',
      `{"dataframe_records":[${records(3_000, (index) => `c${index}`)}]}`,
      413,
      'TABLE_LIMIT_CELLS',
    ],
    [
      'more records than the model takes',
      `{"dataframe_records":[${records(20_000, () => 'x')}]}`,
      413,
      'batching.maxQueueRows',
    ],
    [
      'a wide split',
      `{"dataframe_split":{"columns":[${numbers(200, (index) => `"c${index}"`)}],"data":[${numbers(60, () => `[${numbers(200)}]`)}]}}`,
      413,
      'TABLE_LIMIT_CELLS',
    ],
    [
      'columns without end',
      `{"dataframe_split":{"columns":[${numbers(120_000, () => '"c"')}],"data":[[1]]}}`,
      413,
      '100000 columns',
    ],
  ])('of %s is refused before it is built', async (_, body, status, reason) => {
    expect(await post('/invocations', body)).toMatchObject({ status, text: expect.stringContaining(reason) });
  });

  it.each([
    ['more rows than the model takes', '1,2\n'.repeat(400_000), 413, 'batching.maxQueueRows'],
    ['cells without end', '1,'.repeat(300_000), 413, 'TABLE_LIMIT_CELLS'],
    ['a cell without end', `"${'""'.repeat(2_000_000)}"`, 400, 'characters'],
    ['rows of several lengths', `1,2\n1\n${'1,2\n'.repeat(400_000)}`, 400, 'Row 1'],
  ])('of CSV with %s is refused as soon as it is known', async (_, csv, status, reason) => {
    const refused = await post('/invocations', csv, { 'content-type': 'text/csv' });
    expect(refused).toMatchObject({ status, text: expect.stringContaining(reason) });
  });

  it('with a column that the model has no place for says which', async () => {
    await using other = await startReadyServer({ DEFAULT_MODEL: 'iris' });
    const response = await fetch(`${other.address}/invocations`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: `{"dataframe_records":[${records(2_000, (index) => `c${index}`)}]}`,
    });
    expect([response.status, await response.text()]).toEqual([
      400,
      expect.stringContaining('Record 4 has the column \\"c4\\", one more than the 4 that the model takes'),
    ]);
  });
});
