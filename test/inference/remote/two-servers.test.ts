import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Client, tensor } from '../../../src/client/index.ts';
import { writeGraph, writeMembers } from '../../graphs/write-graph-models.ts';
import { writeRemote } from '../../graphs/write-remote.ts';
import { type TemporaryFolder, temporaryFolder } from '../../helpers/folder.ts';
import { startReadyServer, type TestServer } from '../../helpers/server.ts';

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
  preprocessing = await startReadyServer({ MODELS_DIR: there, GRPC_PORT: '0' });
  const remote = { model: 'scaler', version: '1' };
  await writeRemote(here, 'by-http', { ...remote, urls: [preprocessing.address] });
  await writeRemote(here, 'by-grpc', { ...remote, urls: [`grpc://127.0.0.1:${preprocessing.grpcPort}`] });
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
