import { afterAll, beforeAll, expect, test } from 'vitest';
import { writeModel } from '../../faces/classifier-model.ts';
import { type TemporaryFolder, temporaryFolder } from '../../helpers/folder.ts';
import { float } from '../../helpers/onnx-model.ts';
import { postJson, startReadyServer, type TestServer } from '../../helpers/server.ts';

const rows = { element: float, shape: ['n', 2] };
/** Gives back what it takes, so that the order of the columns is seen. */
const echo = { inputs: { x: rows }, outputs: { y: rows }, nodes: [{ op: 'Identity', inputs: ['x'], outputs: ['y'] }] };

let folder: TemporaryFolder;
let server: TestServer;

beforeAll(async () => {
  folder = await temporaryFolder();
  const face = { kind: 'table', columns: [{ name: 'age' }, { name: 'fare' }] };
  await writeModel(folder.path, 'echo', echo, { manifest: { face } });
  server = await startReadyServer({ MODELS_DIR: folder.path });
});

afterAll(async () => {
  await server.stop();
  await folder[Symbol.asyncDispose]();
});

const invoke = (body: unknown, type = 'application/json') =>
  postJson(server.address, '/invocations', body, { 'content-type': type });

test.each([
  ['records', { dataframe_records: [{ fare: 2, age: 1 }] }],
  ['a split frame', { dataframe_split: { columns: ['fare', 'age'], data: [[2, 1]] } }],
  ['a split frame in order', { dataframe_split: { columns: ['age', 'fare'], data: [[1, 2]] } }],
  ['counted columns', { dataframe_split: { columns: [0, 1], data: [[1, 2]] } }],
  ['no columns', { dataframe_split: { data: [[1, 2]] } }],
])('%s reach the columns that model.json names', async (_, body) => {
  expect(await invoke(body)).toMatchObject({ status: 200, body: { predictions: [[1, 2]] } });
});

test('so does CSV', async () => {
  expect(await invoke('fare,age\n2,1\n', 'text/csv')).toMatchObject({ status: 200, body: { predictions: [[1, 2]] } });
});

test('columns that the model does not have are refused, not taken by their places', async () => {
  const { status, body } = await invoke({ dataframe_records: [{ age: 1, price: 2 }] });
  expect(status).toBe(400);
  expect(JSON.stringify(body)).toContain('the model takes \\"age\\", \\"fare\\"');
});
