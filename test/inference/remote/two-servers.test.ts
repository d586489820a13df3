import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Client, tensor } from '../../../src/client/index.ts';
import { writeGraph, writeMembers } from '../../graphs/write-graph-models.ts';
import { writeRemote } from '../../graphs/write-remote.ts';
import { shippedModelsDir, type TemporaryFolder, temporaryFolder } from '../../helpers/folder.ts';
import { addIdentityModel, dataTypes } from '../../helpers/identity-model.ts';
import { projectDir } from '../../helpers/process.ts';
import { startReadyServer, type TestServer } from '../../helpers/server.ts';
import { arbitraryTensor } from '../../tensor/arbitrary-tensor.ts';

const flow = (prepare: string) => ({
  steps: [
    { name: 'prepare', model: prepare },
    { name: 'predict', model: 'tree', in: { scaled: 'prepare.scaled' } },
  ],
});

let folders: TemporaryFolder[];
let preprocessing: TestServer;
let server: TestServer;

beforeAll(async () => {
  folders = [await temporaryFolder(), await temporaryFolder()];
  const [there = '', here = ''] = folders.map(({ path }) => path);
  await writeMembers(there);
  await writeMembers(here);
  for (const datatype of dataTypes) await addIdentityModel(there, datatype.toLowerCase(), datatype);
  preprocessing = await startReadyServer({ MODELS_DIR: there, GRPC_PORT: '0' });
  const remote = { model: 'scaler', version: '1' };
  await writeRemote(here, 'by-http', { ...remote, urls: [preprocessing.address] });
  await writeRemote(here, 'by-grpc', { ...remote, urls: [`grpc://127.0.0.1:${preprocessing.grpcPort}`] });
  for (const name of dataTypes.map((datatype) => datatype.toLowerCase())) {
    await writeRemote(here, `${name}-http`, { model: name, urls: [preprocessing.address] });
    await writeRemote(here, `${name}-grpc`, { model: name, urls: [`grpc://127.0.0.1:${preprocessing.grpcPort}`] });
  }
  await writeGraph(here, 'flow', flow('scaler'));
  await writeGraph(here, 'flow-http', flow('by-http'));
  await writeGraph(here, 'flow-grpc', flow('by-grpc'));
  server = await startReadyServer({ MODELS_DIR: here });
});

afterAll(async () => {
  await server.stop();
  await preprocessing.stop();
  for (const folder of folders) await folder[Symbol.asyncDispose]();
});

describe('preprocessing on one server, prediction on another', () => {
  const values = Float32Array.from({ length: 2000 }, (_, index) => Math.sin(index) * 1000);

  test.each(['flow-http', 'flow-grpc'])('%s answers as one process does, bit for bit', async (name) => {
    const client = new Client({ url: server.address });
    for (const rows of [1, 7, 1000]) {
      const x = tensor('FP32', [rows, 2], values.subarray(0, 2 * rows));
      const alone = await client.infer('flow', { x });
      const apart = await client.infer(name, { x });
      expect(apart.outputs).toEqual(alone.outputs);
    }
  });

  describe.each(dataTypes)('%s', (datatype) => {
    test.each(['http', 'grpc'])('crosses to another server and back as it is, over %s', async (protocol) => {
      const client = new Client({ url: server.address });
      const tensors = arbitraryTensor(datatype).filter(({ shape }) => shape.length === 2 && !shape.includes(0));
      for (const x of fc.sample(tensors, { numRuns: 10, seed: 7 })) {
        const { outputs } = await client.infer(`${datatype.toLowerCase()}-${protocol}`, { x });
        expect(outputs['y']).toEqual(x);
      }
    });
  });

  test('a model on another server says where it is, and is used as any other', async () => {
    const response = await fetch(new URL('/models/by-http', server.address));
    expect(await response.json()).toMatchObject({
      state: 'READY',
      versions: [
        {
          kind: 'remote',
          inputs: [{ name: 'x', datatype: 'FP32', shape: [-1, 2] }],
          remote: { urls: [{ url: preprocessing.address, up: true }], model: 'scaler', version: '1' },
        },
      ],
    });
  });
});

describe('the shipped domains with their models on another server', () => {
  const pictures = join(projectDir, 'docs/examples/two.png');
  const flower = { sepal_length: 5.9, sepal_width: 3.0, petal_length: 5.1, petal_width: 1.8 };
  const requests = {
    digits: { body: readFileSync(pictures), headers: { 'content-type': 'image/png' } },
    iris: { body: JSON.stringify(flower), headers: { 'content-type': 'application/json' } },
    sentiment: {
      body: JSON.stringify({ text: 'A film to see twice.' }),
      headers: { 'content-type': 'application/json' },
    },
    titanic: {
      body: JSON.stringify({ pclass: 3, sex: 'male', age: 22, fare: 7.25, embarked: 'S' }),
      headers: { 'content-type': 'application/json' },
    },
  };

  test.each(['http', 'grpc'])('answer byte for byte as they do alone, over %s', async (protocol) => {
    await using far = await startReadyServer({ GRPC_PORT: '0' });
    await using folder = await temporaryFolder();
    for (const model of Object.keys(requests)) {
      const url = protocol === 'http' ? far.address : `grpc://127.0.0.1:${far.grpcPort}`;
      const manifest = JSON.parse(readFileSync(join(shippedModelsDir, model, 'model.json'), 'utf8'));
      await writeRemote(folder.path, model, { model, urls: [url] }, { manifest });
    }
    await using near = await startReadyServer({ MODELS_DIR: folder.path });
    for (const [model, { body, headers }] of Object.entries(requests)) {
      const answers = await Promise.all(
        [far, near].map(async ({ address }) => {
          const response = await fetch(new URL(`/${model}/predict`, address), { method: 'POST', body, headers });
          return { status: response.status, text: await response.text() };
        }),
      );
      expect(answers[0]?.status).toBe(200);
      expect(answers[1]).toEqual(answers[0]);
    }
  });
});
