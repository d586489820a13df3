import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { grpcClient } from '../../helpers/grpc-client.ts';
import { startReadyServer, type TestServer } from '../../helpers/server.ts';

const count = 80_000;
const mostBytes = 64 * 1024;

let server: TestServer;

beforeAll(async () => {
  server = await startReadyServer({ DEFAULT_MODEL: 'iris', GRPC_PORT: '0' });
});

afterAll(() => server.stop());

const members = (name = (index: number) => `c${index}`, value = '1') =>
  Array.from({ length: count }, (_, index) => `${JSON.stringify(name(index))}:${value}`).join(',');

async function post(path: string, body: string, type = 'application/json') {
  const response = await fetch(new URL(path, server.address), {
    method: 'POST',
    headers: { 'content-type': type },
    body,
  });
  return { status: response.status, text: await response.text() };
}

const input = (name: string) => ({ name, datatype: 'FP32', shape: [1], data: [1] });
const inputs = (length: number) => Array.from({ length }, (_, index) => input(`c${index}`));
const long = 'x'.repeat(1_000_000);

const faulty: [what: string, path: string, body: () => string][] = [
  ['keys', '/iris/predict', () => `{${members()}}`],
  ['keys in instances', '/titanic/predict/batch', () => `{"instances":[{${members()}}]}`],
  ['inputs by name', '/models/iris/predict', () => `{${members()}}`],
  ['names in instances', '/v1/models/iris:predict', () => `{"instances":[{${members()}}]}`],
  ['names in inputs', '/v1/models/iris:predict', () => `{"inputs":{${members()}}}`],
  ['keys of an invocation', '/invocations', () => `{${members()}}`],
  ['tensors', '/v2/models/iris/infer', () => JSON.stringify({ inputs: inputs(count) })],
  ['some tensors', '/v2/models/iris/infer', () => JSON.stringify({ inputs: inputs(9_000) })],
  ['wanted outputs', '/v2/models/iris/infer', () => JSON.stringify({ inputs: inputs(1), outputs: inputs(9_000) })],
  ['a long key', '/iris/predict', () => JSON.stringify({ [long]: 1 })],
  ['long keys', '/iris/predict', () => `{${members((index) => `${index}${'x'.repeat(100)}`)}}`],
  ['a long name', '/models/iris/predict', () => JSON.stringify({ [long]: 1 })],
  ['a long name of a tensor', '/v2/models/iris/infer', () => JSON.stringify({ inputs: [input(long)] })],
  ['a long name twice', '/v2/models/iris/infer', () => JSON.stringify({ inputs: [input(long), input(long)] })],
  ['a long data type', '/v2/models/iris/infer', () => JSON.stringify({ inputs: [{ ...input('x'), datatype: long }] })],
  ['a long signature', '/v1/models/iris:predict', () => JSON.stringify({ signature_name: long, instances: [1] })],
  ['a long key of an invocation', '/invocations', () => JSON.stringify({ [long]: 1 })],
  ['long columns', '/invocations', () => JSON.stringify({ dataframe_split: { columns: [long], data: [[1]] } })],
];

describe.each(faulty)('a request with %s', (_what, path, body) => {
  it('is refused by a short answer', async () => {
    const { status, text } = await post(path, body());
    expect(status).toBeGreaterThanOrEqual(400);
    expect(status).toBeLessThan(500);
    expect(Buffer.byteLength(text)).toBeLessThan(mostBytes);
  });
});

it('the first hundred faults are told, and how many there are', async () => {
  const { text } = await post(
    '/iris/predict',
    JSON.stringify(Object.fromEntries(Array.from({ length: 150 }, (_, n) => [`c${n}`, 1]))),
  );
  const problem = JSON.parse(text);
  // Four fields are missing.
  expect(problem).toMatchObject({ status: 422, detail: expect.stringContaining('(and 153 more)'), error_count: 154 });
  expect(problem.errors).toHaveLength(100);
});

it('says no number of faults where all are told', async () => {
  const problem = JSON.parse((await post('/iris/predict', '{}')).text);
  expect(problem.errors).toHaveLength(4);
  expect(problem).not.toHaveProperty('error_count');
});

it('a form of many equals signs is a field and its value', async () => {
  const { status, text } = await post(
    '/titanic/predict',
    `sex=${'='.repeat(1e6)}`,
    'application/x-www-form-urlencoded',
  );
  expect(status).toBe(422);
  expect(text.length).toBeLessThan(mostBytes);
});

it('by gRPC the status is short', async () => {
  using client = grpcClient(server.grpcPort);
  const refused = await client
    .call('ModelInfer', {
      model_name: 'iris',
      inputs: Array.from({ length: 9_000 }, (_, index) => ({ name: `한${index}`, datatype: 'FP32', shape: [1] })),
    })
    .catch((error: Error & { code: number; details: string }) => error);
  expect(refused).toMatchObject({ code: 3, details: expect.stringContaining('there is no input "한0"') });
  expect((refused as { details: string }).details.length).toBeLessThanOrEqual(1_000);
});
