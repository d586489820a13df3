import { status } from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fixtureRepository, type TemporaryFolder } from '../helpers/folder.ts';
import { grpcClient } from '../helpers/grpc-client.ts';
import { addIdentityModel } from '../helpers/identity-model.ts';
import { postJson, startReadyServer, type TestServer } from '../helpers/server.ts';

let repository: TemporaryFolder;
let server: TestServer;
let grpc: ReturnType<typeof grpcClient>;

beforeAll(async () => {
  repository = await fixtureRepository([]);
  await addIdentityModel(repository.path, 'echo', 'FP32');
  server = await startReadyServer(
    { MODELS_DIR: repository.path, DEFAULT_MODEL: 'echo', GRPC_PORT: '0', ANSWER_LIMIT_BYTES: '4096' },
    [],
  );
  grpc = grpcClient(server.grpcPort);
});

afterAll(async () => {
  grpc[Symbol.dispose]();
  await server.stop();
  await repository[Symbol.asyncDispose]();
});

const numbers = (count: number) => new Array<number>(count).fill(0.5);
const row = (count: number) => [numbers(count)];
const tensor = (count: number) => ({ name: 'x', datatype: 'FP32', shape: [1, count], data: numbers(count) });
const message = (count: number) => ({
  model_name: 'echo',
  inputs: [{ name: 'x', datatype: 'FP32', shape: [1, count], contents: { fp32_contents: numbers(count) } }],
});
const asJson = 'may take 4104 bytes as JSON, and ANSWER_LIMIT_BYTES allows 4096';

/** Every way to ask for JSON; each is answered up to 170 numbers, of 24 characters at most. */
const ways: readonly [string, string, (count: number) => object][] = [
  ['the Open Inference Protocol', '/v2/models/echo/infer', (count) => ({ inputs: [tensor(count)] })],
  ['the native route', '/models/echo/predict', (count) => ({ x: row(count) })],
  ['V1 by rows', '/v1/models/echo:predict', (count) => ({ instances: row(count) })],
  ['V1 by columns', '/v1/models/echo:predict', (count) => ({ inputs: { x: row(count) } })],
  ['/invocations by rows', '/invocations', (count) => ({ instances: row(count) })],
  ['/invocations by columns', '/invocations', (count) => ({ inputs: { x: row(count) } })],
];

describe('an answer above ANSWER_LIMIT_BYTES', () => {
  it.each(ways)('is refused by %s', async (_, path, body) => {
    expect(await postJson(server.address, path, body(170))).toMatchObject({ status: 200 });
    const refused = await postJson(server.address, path, body(171));
    expect(refused.status).toBe(413);
    expect(JSON.stringify(refused.body)).toContain(asJson);
  });

  it('is refused as binary tensors and by gRPC, of their own bytes', async () => {
    const parameters = { binary_data_output: true };
    const binary = (count: number) =>
      fetch(new URL('/v2/models/echo/infer', server.address), {
        method: 'POST',
        body: JSON.stringify({ inputs: [tensor(count)], parameters }),
      });
    const limit = 'has 4100 bytes, and ANSWER_LIMIT_BYTES allows 4096';
    expect((await binary(1024)).status).toBe(200);
    const refused = await binary(1025);
    expect([refused.status, await refused.text()]).toEqual([413, expect.stringContaining(limit)]);
    await grpc.call('ModelInfer', message(1024));
    const failure = { code: status.RESOURCE_EXHAUSTED, details: expect.stringContaining(limit) };
    await expect(grpc.call('ModelInfer', message(1025))).rejects.toMatchObject(failure);
  });
});

describe('an output that is asked for twice', () => {
  const twice = [{ name: 'y' }, { name: 'y' }];

  it('is an invalid argument of gRPC, as is an input that comes twice', async () => {
    const outputs = { ...message(1), outputs: twice };
    await expect(grpc.call('ModelInfer', outputs)).rejects.toMatchObject({
      code: status.INVALID_ARGUMENT,
      details: expect.stringContaining('output "y" is asked for twice'),
    });
    const { inputs } = message(1);
    await expect(grpc.call('ModelInfer', { ...message(1), inputs: [...inputs, ...inputs] })).rejects.toMatchObject({
      code: status.INVALID_ARGUMENT,
      details: expect.stringContaining('comes twice'),
    });
  });

  it.each([
    ['the Open Inference Protocol', '/v2/models/echo/infer', { inputs: [tensor(1)], outputs: twice }, 400],
    ['the native route', '/models/echo/predict?outputs=y,y', { x: row(1) }, 422],
    ['the native route, by parameters', '/models/echo/predict?outputs=y&outputs=y', { x: row(1) }, 422],
    ['/invocations', '/invocations', { inputs: { x: row(1) }, params: { outputs: ['y', 'y'] } }, 400],
  ])('is refused by %s', async (_, path, body, expected) => {
    const refused = await postJson(server.address, path, body);
    expect([refused.status, JSON.stringify(refused.body)]).toEqual([expected, expect.stringContaining('twice')]);
  });
});

describe('a request of thousands of wrong names', () => {
  it('gets an answer of a hundred', async () => {
    const wrong = Array.from({ length: 8_000 }, (_, index) => `wrong ${index}`);
    const outputs = wrong.map((name) => ({ name }));
    await expect(grpc.call('ModelInfer', { ...message(1), outputs })).rejects.toMatchObject({
      code: status.INVALID_ARGUMENT,
      details: expect.stringMatching(/^.{100,1000}$/),
    });
    const inputs = Object.fromEntries(wrong.map((name) => [name, [[1]]]));
    const typed = await postJson(server.address, '/models/echo/predict', inputs);
    expect(typed).toMatchObject({ status: 422, body: { errors: { length: 100 }, error_count: 8_001 } });
    const open = await postJson(server.address, '/v2/models/echo/infer', {
      inputs: wrong.map((name) => ({ ...tensor(1), name })),
    });
    expect(open.status).toBe(400);
    expect(JSON.stringify(open.body).length).toBeLessThan(20_000);
  });
});
