import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gunzipSync, inflateSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Client, type ClientOptions, tensor } from '../../src/client/index.ts';
import type { DataType } from '../../src/tensor/data-type.ts';
import { type TemporaryFolder, temporaryRepository } from '../helpers/folder.ts';
import { addIdentityModel, dataTypes } from '../helpers/identity-model.ts';
import { startReadyServer, type TestServer } from '../helpers/server.ts';
import { VirtualClock } from '../virtual-clock.ts';

let repository: TemporaryFolder;
let server: TestServer;

beforeAll(async () => {
  repository = await temporaryRepository('iris');
  await Promise.all(dataTypes.map((datatype) => addIdentityModel(repository.path, datatype, datatype)));
  server = await startReadyServer({ MODELS_DIR: repository.path }, []);
});

afterAll(async () => {
  await server.stop();
  await repository[Symbol.asyncDispose]();
});

const connect = (options: Partial<ClientOptions> = {}) => new Client({ url: server.address, ...options });

const shape = [2, 2] as const;
const tensors = {
  BOOL: tensor('BOOL', shape, [true, false, false, true]),
  UINT8: tensor('UINT8', shape, [0, 1, 128, 255]),
  UINT16: tensor('UINT16', shape, [0, 1, 2, 65535]),
  UINT32: tensor('UINT32', shape, Uint32Array.of(0, 1, 2, 2 ** 32 - 1)),
  UINT64: tensor('UINT64', shape, [0, 1n, 2n ** 53n + 1n, 2n ** 64n - 1n]),
  INT8: tensor('INT8', shape, [-128, -1, 0, 127]),
  INT16: tensor('INT16', shape, [-32768, -1, 0, 32767]),
  INT32: tensor('INT32', shape, [-(2 ** 31), -1, 0, 2 ** 31 - 1]),
  INT64: tensor('INT64', shape, [-(2n ** 63n), -1, 0, 2n ** 63n - 1n]),
  FP16: tensor('FP16', shape, [1, -0, Infinity, NaN]),
  FP32: tensor('FP32', shape, Float32Array.of(1.5, -0, NaN, 3.4e38)),
  FP64: tensor('FP64', shape, [1 / 3, -0, Infinity, 1e308]),
  BYTES: tensor('BYTES', shape, ['', 'a', '최고', '🙂']),
} satisfies { [D in DataType]: { datatype: D } };

describe('infer', () => {
  it.each(dataTypes)('sends %s and gets it back bit for bit', async (datatype) => {
    const { outputs, ...rest } = await connect().infer(datatype, { x: tensors[datatype] });
    expect(outputs).toEqual({ y: tensors[datatype] });
    expect(rest).toEqual({ modelName: datatype, modelVersion: '1', id: undefined });
  });

  it('sends tensors without elements', async () => {
    const { outputs } = await connect().infer('FP32', { x: tensor('FP32', [0, 2], []) });
    expect(outputs).toEqual({ y: tensor('FP32', [0, 2], []) });
  });

  it('echoes the id, and takes a version and the names of outputs', async () => {
    const features = tensor('FP32', [1, 4], [5.1, 3.5, 1.4, 0.2]);
    const options = { id: 'mine', version: '1', outputs: ['label'] };
    const result = await connect().infer('iris', { features }, options);
    expect(result).toMatchObject({ id: 'mine', outputs: { label: { datatype: 'INT64', data: BigInt64Array.of(0n) } } });
    expect(Object.keys(result.outputs)).toEqual(['label']);
  });

  it.each(['gzip', 'deflate'] as const)('compresses both ways with %s', async (coding) => {
    const codings: (string | null)[] = [];
    const watched: typeof fetch = async (url, init) => {
      const response = await fetch(url, init);
      codings.push(new Headers(init?.headers).get('content-encoding'), response.headers.get('content-encoding'));
      return response;
    };
    const client = connect({ requestCompression: coding, responseCompression: coding, fetch: watched });
    const x = tensor('FP32', [100, 100], new Float32Array(10_000).fill(0.5));
    expect((await client.infer('FP32', { x })).outputs).toEqual({ y: x });
    expect(codings).toEqual([coding, coding]);
  });

  it('rejects with the status and the message of the server', async () => {
    const x = tensor('FP64', [1, 1], [1]);
    await expect(connect().infer('FP32', { x })).rejects.toMatchObject({
      name: 'ClientError',
      status: 400,
      message: expect.stringMatching(/x.*FP64/),
      requestId: expect.any(String),
    });
    await expect(connect().infer('nothing', { x })).rejects.toMatchObject({ status: 404 });
  });
});

describe('the other calls', () => {
  it('tell of the server and of its models', async () => {
    const client = connect({ url: `${server.address}/` });
    expect(await client.live()).toBe(true);
    expect(await client.ready()).toBe(true);
    expect(await client.modelReady('iris')).toBe(true);
    expect(await client.modelReady('iris', { version: '2' })).toBe(false);
    expect(await client.metadata()).toMatchObject({ name: 'inferd', version: '0.0.0-test' });
    expect(await client.modelMetadata('iris')).toMatchObject({
      versions: ['1'],
      inputs: [{ name: 'features', datatype: 'FP32', shape: [-1, 4] }],
    });
  });

  it('load, unload and count', async () => {
    const client = connect();
    await client.infer('UINT8', { x: tensors.UINT8 });
    const [before] = await client.statistics('UINT8');
    expect(before).toMatchObject({
      name: 'UINT8',
      version: '1',
      durations: { success: { count: expect.any(Number) } },
    });
    expect(before?.inferenceCount).toBeGreaterThan(1);

    await client.unload('UINT8');
    expect(await client.modelReady('UINT8')).toBe(false);
    const state = async () => (await client.index()).find(({ name }) => name === 'UINT8')?.state;
    expect(await state()).toBe('UNAVAILABLE');
    expect((await client.index({ onlyReady: true })).map(({ name }) => name)).not.toContain('UINT8');
    await client.load('UINT8');
    expect(await state()).toBe('READY');
    expect((await client.statistics()).map(({ name }) => name)).toContain('iris');
  });
});

/** A server of the given answers, each for one request. */
async function answering(...answers: RequestListener[]) {
  const seen: { headers: Record<string, unknown>; body: Buffer }[] = [];
  const http = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    seen.push({ headers: request.headers, body: Buffer.concat(chunks) });
    const answer = answers.shift() ?? answers.at(-1);
    answer?.(request, response);
  });
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
  const { port } = http.address() as AddressInfo;
  const dispose = async () => {
    http.closeAllConnections();
    await new Promise((resolve) => http.close(resolve));
  };
  return { url: `http://127.0.0.1:${port}/base`, seen, [Symbol.asyncDispose]: dispose };
}

const overloaded: RequestListener = (_request, response) => {
  response.writeHead(503, { 'retry-after': '2' }).end('{"error":"Too many requests are waiting"}');
};
const succeeds: RequestListener = (_request, response) => {
  const outputs = [{ name: 'y', datatype: 'FP32', shape: [1], data: [2.5] }];
  response.end(JSON.stringify({ model_name: 'm', outputs }));
};
const never: RequestListener = () => {};
const x = tensor('FP32', [1], [1]);

/** Lets the clock run until the call has settled. */
async function settle<T>(clock: VirtualClock, call: Promise<T>): Promise<T> {
  let settled = false;
  const done = () => {
    settled = true;
  };
  call.then(done, done);
  while (!settled) await clock.advance(100);
  return call;
}

describe('a retry', () => {
  it('comes after the time that a 503 asks for, and a bit of chance', async () => {
    await using http = await answering(overloaded, overloaded, succeeds);
    const clock = new VirtualClock();
    const client = new Client({ url: http.url, clock, random: () => 1 });
    const { outputs } = await settle(clock, client.infer('m', { x }));
    expect(outputs).toEqual({ y: tensor('FP32', [1], [2.5]) });
    expect(http.seen).toHaveLength(3);
    expect(clock.now()).toBeGreaterThanOrEqual(2 * 2000 * 1.25);
    expect(clock.now()).toBeLessThan(2 * 2000 * 1.25 + 1000);
  });

  it('ends with the error of the server after the last time', async () => {
    await using http = await answering(overloaded, overloaded);
    const clock = new VirtualClock();
    const client = new Client({ url: http.url, clock, maxRetries: 1 });
    const error = { status: 503, retryAfterMs: 2000, message: 'Too many requests are waiting' };
    await expect(settle(clock, client.infer('m', { x }))).rejects.toMatchObject(error);
    expect(http.seen).toHaveLength(2);
  });

  it.each<[string, RequestListener, Partial<ClientOptions>]>([
    ['without a Retry-After', (_request, response) => response.writeHead(503).end(), {}],
    ['of another status', (_request, response) => response.writeHead(429, { 'retry-after': '1' }).end(), {}],
    ['with a longer wait than allowed', overloaded, { maxRetryDelayMs: 1999 }],
  ])('does not come after an answer %s', async (_what, answer, options) => {
    await using http = await answering(answer, succeeds);
    const client = new Client({ url: http.url, ...options });
    await expect(client.infer('m', { x })).rejects.toMatchObject({ name: 'ClientError' });
    expect(http.seen).toHaveLength(1);
  });

  it('does not come when the deadline would pass before', async () => {
    await using http = await answering(overloaded, succeeds);
    const client = new Client({ url: http.url, clock: new VirtualClock() });
    await expect(client.infer('m', { x }, { timeoutMs: 1500 })).rejects.toMatchObject({ status: 503 });
  });

  it('ends when the signal is aborted', async () => {
    await using http = await answering(overloaded, succeeds);
    const controller = new AbortController();
    const client = new Client({ url: http.url, clock: new VirtualClock() });
    const call = client.infer('m', { x }, { signal: controller.signal });
    await expect.poll(() => http.seen.length).toBe(1);
    controller.abort(new Error('enough'));
    await expect(call).rejects.toThrow('enough');
  });
});

describe('a deadline', () => {
  it('is told to the server, and ends the call', async () => {
    await using http = await answering(never);
    const clock = new VirtualClock();
    const call = new Client({ url: http.url, clock }).infer('m', { x }, { timeoutMs: 1500 });
    const ended = expect(call).rejects.toThrow('The deadline of 1500 ms passed');
    await expect.poll(() => http.seen.length).toBe(1);
    expect(http.seen[0]?.headers['x-request-timeout-ms']).toBe('1500');
    await clock.advance(1500);
    await ended;
  });
});

describe('an answer', () => {
  it.each([
    ['that is not JSON', '<html>', /not valid JSON/],
    ['without outputs', '{"model_name":"m"}', /outputs is not a list/],
    [
      'with too many elements',
      '{"model_name":"m","outputs":[{"name":"y","datatype":"FP32","shape":[1],"data":[1,2]}]}',
      /2 elements/,
    ],
  ])('%s is an error that says so', async (_what, body, message) => {
    await using http = await answering((_request, response) => response.end(body));
    await expect(new Client({ url: http.url }).infer('m', { x })).rejects.toMatchObject({
      name: 'ClientError',
      message: expect.stringMatching(message),
    });
  });

  it('of a proxy, without a message, has its status', async () => {
    await using http = await answering((_request, response) => response.writeHead(502).end('<html>Bad gateway</html>'));
    await expect(new Client({ url: http.url }).metadata()).rejects.toMatchObject({
      status: 502,
      message: expect.stringMatching(/status 502/),
    });
  });

  it('that does not come is an error without a status', async () => {
    const http = await answering();
    await http[Symbol.asyncDispose]();
    const client = new Client({ url: http.url });
    await expect(client.metadata()).rejects.toMatchObject({ name: 'ClientError', status: undefined });
    expect(await client.live()).toBe(false);
  });
});

describe('a request', () => {
  it('has the headers of the client, and its body below the base URL', async () => {
    await using http = await answering(succeeds, succeeds, succeeds);
    const headers = { authorization: 'Bearer key' };
    await new Client({ url: http.url, headers }).infer('m', { x }, { id: 'mine' });
    await new Client({ url: http.url, requestCompression: 'gzip' }).infer('m', { x });
    await new Client({ url: http.url, requestCompression: 'deflate' }).infer('m', { x });
    const [plain, gzip, deflate] = http.seen;
    expect(plain?.headers).toMatchObject({ ...headers, 'accept-encoding': 'identity' });
    const jsonBytes = Number(plain?.headers['inference-header-content-length']);
    expect(JSON.parse(String(plain?.body.subarray(0, jsonBytes)))).toEqual({
      id: 'mine',
      inputs: [{ name: 'x', datatype: 'FP32', shape: [1], parameters: { binary_data_size: 4 } }],
      parameters: { binary_data_output: true },
    });
    expect(plain?.body.subarray(jsonBytes)).toEqual(Buffer.from(new Float32Array([1]).buffer));
    expect(gunzipSync(gzip?.body ?? '').subarray(-4)).toEqual(plain?.body.subarray(-4));
    expect(inflateSync(deflate?.body ?? '').subarray(-4)).toEqual(plain?.body.subarray(-4));
  });
});

describe('tensor', () => {
  it.each<[string, () => unknown]>([
    ['an integer out of range', () => tensor('UINT8', [1], [256])],
    ['a fraction for an integer', () => tensor('INT32', [1], [1.5])],
    ['a 64-bit integer out of range', () => tensor('INT64', [1], [2n ** 63n])],
    ['another number of elements than the shape has', () => tensor('FP32', [2], [1])],
  ])('refuses %s', (_what, make) => {
    expect(make).toThrow(RangeError);
  });
});
