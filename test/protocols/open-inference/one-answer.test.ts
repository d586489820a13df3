import { cp, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type TemporaryFolder, temporaryFolder } from '../../helpers/folder.ts';
import { type GrpcClient, grpcClient } from '../../helpers/grpc-client.ts';
import { addIdentityModel } from '../../helpers/identity-model.ts';
import { startReadyServer, type TestServer } from '../../helpers/server.ts';
import { fixture } from './rest/client.ts';

let repository: TemporaryFolder;
let server: TestServer;
let client: GrpcClient;

/** Models of each version policy, of one that joins requests and one that does not, and one that cannot be loaded. */
beforeAll(async () => {
  repository = await temporaryFolder();
  const { path } = repository;
  await addIdentityModel(path, 'latest', 'FP32');
  await addModel('all', 'linear', ['1', '2'], { versionPolicy: 'all', labels: { scores: ['low', 'middle', 'high'] } });
  await addModel('specific', 'scalar', ['1', '12'], { versionPolicy: { specific: [12, '1'] } });
  await mkdir(join(path, 'broken', '1'), { recursive: true });
  await writeFile(join(path, 'broken', '1', 'model.onnx'), 'no model');
  server = await startReadyServer({ MODELS_DIR: path, GRPC_PORT: '0', ALLOW_MODEL_UPLOAD: '1' }, []);
  client = grpcClient(server.grpcPort);
});

afterAll(async () => {
  client[Symbol.dispose]();
  await server.stop();
  await repository[Symbol.asyncDispose]();
});

async function addModel(name: string, file: string, versions: readonly string[], manifest: object): Promise<void> {
  const folder = join(repository.path, name);
  for (const version of versions) {
    await mkdir(join(folder, version), { recursive: true });
    await cp(fixture(file), join(folder, version, 'model.onnx'));
  }
  await writeFile(join(folder, 'model.json'), JSON.stringify(manifest));
}

async function overRest(path: string, body?: object): Promise<unknown> {
  const post = { method: 'POST', body: JSON.stringify(body) };
  const reply = await fetch(new URL(path, server.address), body === undefined ? {} : post);
  return reply.json();
}

/** Members that only one of the two forms has: JSON leaves out what is not set, and messages know no `response_stats`. */
const ofOneForm = new Set(['policy_choice', 'response_stats', 'parameters']);

/** What both forms of an answer say: 64-bit integers of messages as numbers, without what is empty or not set. */
function plain(value: unknown): unknown {
  if (typeof value === 'string') return /^-?\d+$/.test(value) ? Number(value) : value;
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== 'object' || value === null) return value;
  const members = Object.entries(value).filter(([name, member]) => !ofOneForm.has(name) && member !== null);
  return Object.fromEntries(members.map(([name, member]) => [name, plain(member)]));
}

const selectors = [
  { name: 'latest' },
  { name: 'latest', version: '1' },
  { name: 'all' },
  { name: 'all', version: '1' },
  { name: 'specific', version: '12' },
];

function pathOf({ name, version }: { name: string; version?: string }, rest: string): string {
  return `/v2/models/${name}${version === undefined ? '' : `/versions/${version}`}${rest}`;
}

it('a model that is not ready is answered under the bare media type, which clients compare as a whole', async () => {
  for (const name of ['nothing', 'broken']) {
    const reply = await fetch(new URL(`/v2/models/${name}/ready`, server.address));
    expect([reply.status, reply.headers.get('content-type')]).toEqual([
      name === 'nothing' ? 404 : 503,
      'application/json',
    ]);
    expect(await reply.json()).toEqual({ name, ready: false, error: expect.any(String) });
  }
});

describe('REST and gRPC say the same', () => {
  it('of the server', async () => {
    expect(plain(await client.call('ServerMetadata'))).toEqual(plain(await overRest('/v2')));
  });

  it.each(selectors)('of what a model takes and gives: %j', async (selector) => {
    const answer = plain(await overRest(pathOf(selector, '')));
    expect(plain(await client.call('ModelMetadata', selector))).toEqual(answer);
    expect(answer).toMatchObject({ name: selector.name, inputs: [{ name: 'x', datatype: 'FP32' }] });
  });

  it.each(selectors)('of how a model is configured: %j', async (selector) => {
    const answer = plain(await overRest(pathOf(selector, '/config')));
    expect(plain((await client.call('ModelConfig', selector))['config'])).toEqual(answer);
    expect(answer).toMatchObject({ version_policy: expect.anything(), instance_group: [{ kind: 'KIND_CPU' }] });
  });

  it.each([
    ...selectors.map((selector) => [selector, true] as const),
    [{ name: 'latest', version: '2' }, false],
    [{ name: 'broken' }, false],
    [{ name: 'nothing' }, false],
    [{ name: 'nothing', version: '1' }, false],
  ] as const)('of whether a model is ready: %j, %j', async (selector, ready) => {
    expect(await overRest(pathOf(selector, '/ready'))).toMatchObject({ name: selector.name, ready });
    expect(await client.call('ModelReady', selector)).toEqual({ ready });
  });

  it('of what a model has served', async () => {
    const x = { name: 'x', shape: [2, 4], datatype: 'FP32', data: [1, 0, 0, 0, 0, 0, 0, -1] };
    await overRest('/v2/models/all/infer', { inputs: [x] });
    await overRest('/v2/models/all/infer', { inputs: [{ ...x, shape: [1, 4] }] });
    for (const selector of selectors) {
      const answer = (await overRest(pathOf(selector, '/stats'))) as { model_stats: object[] };
      const { model_stats } = (await client.call('ModelStatistics', selector)) as { model_stats: object[] };
      // The memory of a runner is measured anew each time.
      const same = ({ ...statistics }: object) => plain({ ...statistics, memory_usage: [] });
      expect(model_stats.map(same)).toEqual(answer.model_stats.map(same));
    }
    const stats = (await overRest('/v2/models/all/stats')) as { model_stats: object[] };
    expect(stats.model_stats).toMatchObject([
      { version: '2', inference_count: 2, inference_stats: { success: { count: 1 }, fail: { count: 1 } } },
      { version: '1', inference_count: 0 },
    ]);
  });

  it('of the best classes of an output', async () => {
    const header = { name: 'x', shape: [1, 4], datatype: 'FP32' };
    const data = [1, 0, 0, 0];
    const outputs = (parameter: unknown) => [{ name: 'scores', parameters: { classification: parameter } }];
    const answer = (await overRest('/v2/models/all/infer', {
      inputs: [{ ...header, data }],
      outputs: outputs(2),
    })) as { outputs: { data: string[] }[] };
    const response = (await client.call('ModelInfer', {
      model_name: 'all',
      inputs: [{ ...header, contents: { fp32_contents: data } }],
      outputs: outputs({ int64_param: 2 }),
    })) as { raw_output_contents: Buffer[] };
    const texts = answer.outputs[0]?.data ?? [];
    expect(texts).toEqual(['-4.000000:2:high', '-5.000000:1:middle']);
    const lengths = texts.map((text) => Buffer.from(Uint32Array.of(text.length).buffer));
    expect(response.raw_output_contents[0]).toEqual(
      Buffer.concat(texts.flatMap((text, index) => [lengths[index] ?? Buffer.alloc(0), Buffer.from(text)])),
    );
  });

  it.each([
    [{ other: 'text' }, /^parameters\.other: expected config or file:<version>\/<name>$/],
    [{ config: '{"unknown": 1}' }, /unknown/],
    [{ config: '{}', 'file:nowhere': '' }, /nowhere/],
  ])('of a load that they refuse: %j', async (parameters, message) => {
    const { error } = (await overRest('/v2/repository/models/latest/load', { parameters })) as { error: string };
    const entries = Object.entries(parameters).map(([name, value]) => [
      name,
      name.startsWith('file:') ? { bytes_param: Buffer.from(value) } : { string_param: value },
    ]);
    const call = client.call('RepositoryModelLoad', { model_name: 'latest', parameters: Object.fromEntries(entries) });
    expect(error).toMatch(message);
    await expect(call).rejects.toMatchObject({ details: error });
  });
});
