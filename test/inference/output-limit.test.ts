import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type TemporaryFolder, temporaryFolder } from '../helpers/folder.ts';
import { grpcClient } from '../helpers/grpc-client.ts';
import { float, int64, type Model, onnxModel } from '../helpers/onnx-model.ts';
import { postJson, startReadyServer, type TestServer } from '../helpers/server.ts';

const longs = (...values: number[]) => Buffer.from(BigInt64Array.from(values.map(BigInt)).buffer);
const scalar = (name: string, value: number) => ({ name, type: int64, dims: [], raw: longs(value) });

/** Models whose input says how large the output is. */
const models: Record<string, Model> = {
  fill: {
    nodes: [{ op: 'ConstantOfShape', inputs: ['size'], outputs: ['y'] }],
    inputs: { size: { element: int64, shape: [2] } },
    outputs: { y: { element: float, shape: ['a', 'b'] } },
  },
  expand: {
    nodes: [{ op: 'Expand', inputs: ['one', 'size'], outputs: ['y'] }],
    initializers: [{ name: 'one', type: float, dims: [1], raw: Buffer.from(Float32Array.of(1).buffer) }],
    inputs: { size: { element: int64, shape: [2] } },
    outputs: { y: { element: float, shape: ['a', 'b'] } },
  },
  tile: {
    nodes: [{ op: 'Tile', inputs: ['one', 'size'], outputs: ['y'] }],
    initializers: [{ name: 'one', type: int64, dims: [1, 1], raw: longs(7) }],
    inputs: { size: { element: int64, shape: [2] } },
    outputs: { y: { element: int64, shape: ['a', 'b'] } },
  },
  range: {
    nodes: [
      { op: 'ReduceProd', inputs: ['size'], outputs: ['end'], attributes: [{ name: 'keepdims', int: 0 }] },
      { op: 'Range', inputs: ['zero', 'end', 'one'], outputs: ['y'] },
    ],
    initializers: [scalar('zero', 0), scalar('one', 1)],
    inputs: { size: { element: int64, shape: [2] } },
    outputs: { y: { element: int64, shape: ['n'] } },
  },
};
const names = Object.keys(models);

let repository: TemporaryFolder;
let server: TestServer;

beforeAll(async () => {
  repository = await temporaryFolder();
  for (const [name, model] of Object.entries({ ...models, generous: models['fill'] ?? {} })) {
    await mkdir(join(repository.path, name, '1'), { recursive: true });
    await writeFile(join(repository.path, name, '1', 'model.onnx'), onnxModel(model));
  }
  await writeFile(join(repository.path, 'generous', 'model.json'), '{"maxOutputBytes": 8000000}');
  server = await startReadyServer(
    { MODELS_DIR: repository.path, GRPC_PORT: '0', OUTPUT_LIMIT_BYTES: '1000000', DEFAULT_MODEL: 'fill' },
    [],
  );
});

afterAll(async () => {
  await server.stop();
  await repository[Symbol.asyncDispose]();
});

const limit = 'at most 1000000 are allowed for a request (OUTPUT_LIMIT_BYTES, or maxOutputBytes in model.json)';

describe.each(names)('a model whose input says how large its output is: %s', (name) => {
  it('answers small ones, and refuses those beyond the limit with the setting', async () => {
    const predict = (...size: number[]) => postJson(server.address, `/models/${name}/predict`, { size });
    expect((await predict(2, 3)).status).toBe(200);
    expect(await predict(1000, 4000)).toMatchObject({
      status: 422,
      body: { code: 'OUTPUTS_TOO_LARGE', detail: expect.stringContaining(limit) },
    });
    // The runner is the same, and well.
    expect((await predict(2, 3)).status).toBe(200);
  });
});

describe('outputs beyond the limit', () => {
  it.each([
    ['/v2/models/fill/infer', { inputs: [{ name: 'size', datatype: 'INT64', shape: [2], data: [1000, 4000] }] }, 400],
    ['/v1/models/fill:predict', { inputs: { size: [1000, 4000] } }, 400],
    ['/invocations', { inputs: { size: [1000, 4000] } }, 400],
  ])('are refused by %s too', async (path, body, status) => {
    const refused = await postJson(server.address, path, body);
    expect([refused.status, JSON.stringify(refused.body)]).toEqual([status, expect.stringContaining(limit)]);
  });

  it('are refused by gRPC as an invalid argument', async () => {
    using client = grpcClient(server.grpcPort);
    const inputs = [{ name: 'size', datatype: 'INT64', shape: [2], contents: { int64_contents: [1000, 4000] } }];
    await expect(client.call('ModelInfer', { model_name: 'fill', inputs })).rejects.toMatchObject({
      code: 3,
      details: expect.stringContaining(limit),
    });
  });

  it('are those of model.json where it says so', async () => {
    const predict = (size: number[]) => postJson(server.address, '/models/generous/predict', { size });
    expect((await predict([1000, 1000])).status).toBe(200);
    expect(await predict([1000, 4000])).toMatchObject({
      status: 422,
      body: { detail: expect.stringContaining('at most 8000000 are allowed') },
    });
  });
});
