import { cp } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { writeGraph } from '../graphs/write-graph-models.ts';
import { shippedModelsDir, type TemporaryFolder, temporaryFolder } from '../helpers/folder.ts';
import { grpcClient } from '../helpers/grpc-client.ts';
import { startReadyServer, type TestServer } from '../helpers/server.ts';

const names = ['iris', 'titanic', 'digits', 'sentiment'] as const;

let direct: TestServer;
let throughGraphs: TestServer;
let folder: TemporaryFolder;

/** The shipped models under other names, and graphs of one step in their places. */
beforeAll(async () => {
  folder = await temporaryFolder();
  for (const name of names) {
    await cp(join(shippedModelsDir, name), join(folder.path, `${name}-model`), { recursive: true });
    await writeGraph(folder.path, name, { steps: [{ name: 'only', model: `${name}-model` }] });
    await cp(join(shippedModelsDir, name, 'model.json'), join(folder.path, name, 'model.json'));
  }
  direct = await startReadyServer({ GRPC_PORT: '0' });
  throughGraphs = await startReadyServer({ GRPC_PORT: '0', MODELS_DIR: folder.path });
});

afterAll(async () => {
  await direct.stop();
  await throughGraphs.stop();
  await folder[Symbol.asyncDispose]();
});

describe('a graph of one step in the place of a model', () => {
  it.each([
    ['/iris/predict', { sepal_length: 5.9, sepal_width: 3, petal_length: 5.1, petal_width: 1.8 }],
    [
      '/titanic/predict/batch',
      {
        instances: [
          { pclass: 3, sex: 'female', age: 26 },
          { pclass: 1, sex: 'male' },
        ],
      },
    ],
    ['/sentiment/predict/batch', { instances: [{ text: 'A wonderful film.' }, { text: '정말 재미있는 영화' }] }],
    ['/v1/models/iris:predict', { instances: [[5.9, 3, 5.1, 1.8]] }],
    ['/models/iris/predict', { features: [[5.9, 3, 5.1, 1.8]] }],
    [
      '/v2/models/iris/infer',
      { id: 'a', inputs: [{ name: 'features', datatype: 'FP32', shape: [1, 4], data: [5.9, 3, 5.1, 1.8] }] },
    ],
  ])('answers %s byte for byte as it', async (path, body) => {
    const ask = async ({ address }: TestServer) => {
      const response = await fetch(new URL(path, address), {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(body),
      });
      return { status: response.status, body: await response.text() };
    };
    const answer = await ask(direct);
    expect(answer.status).toBe(200);
    expect(await ask(throughGraphs)).toEqual(answer);
  });
});

describe('the configuration of a graph', () => {
  const step = {
    model_name: 'iris-model',
    model_version: '1',
    input_map: { features: 'features' },
    output_map: { label: 'label', probabilities: 'probabilities' },
  };

  it('is that of an ensemble over HTTP', async () => {
    const response = await fetch(new URL('/v2/models/iris/config', throughGraphs.address));
    expect(await response.json()).toMatchObject({ platform: 'ensemble', ensemble_scheduling: { step: [step] } });
  });

  it('is the same over gRPC', async () => {
    using client = grpcClient(throughGraphs.grpcPort);
    const answer = await client.call('ModelConfig', { name: 'iris' });
    expect(answer).toMatchObject({ config: { platform: 'ensemble', ensemble_scheduling: { step: [step] } } });
  });
});
