import { cp, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { writeModel } from '../faces/classifier-model.ts';
import { classifier } from '../graphs/write-graph-models.ts';
import { databaseKinds, type TestDatabase, temporaryDatabase } from '../helpers/database.ts';
import { type TemporaryFolder, temporaryRepository } from '../helpers/folder.ts';
import { scrape } from '../helpers/scrape.ts';
import { postJson, startReadyServer, type TestServer } from '../helpers/server.ts';

interface Shown {
  readonly id: string;
  readonly version: string;
  readonly role: string | null;
  readonly of: string | null;
  readonly inputs: unknown;
  readonly outputs: unknown;
  readonly domain: string | null;
}

const flower = { sepal_length: 5.9, sepal_width: 3, petal_length: 5.1, petal_width: 1.8 };

describe.each(databaseKinds)('a shadow on %s', (kind) => {
  let database: TestDatabase;
  let repository: TemporaryFolder;
  let server: TestServer;

  beforeAll(async () => {
    database = await temporaryDatabase(kind);
    repository = await temporaryRepository('iris');
    const manifest = JSON.stringify({ traffic: { shadow: { version: 2 } } });
    await writeModel(repository.path, 'net', classifier([1, 0, 0, 1]));
    await writeModel(repository.path, 'net', classifier([2, 0, 0, 1]), { version: '2' });
    await writeFile(join(repository.path, 'net', 'model.json'), manifest);
    await cp(join(repository.path, 'iris', '1'), join(repository.path, 'iris', '2'), { recursive: true });
    await writeFile(join(repository.path, 'iris', 'model.json'), manifest);
    server = await startReadyServer({ ...database.environment, MODELS_DIR: repository.path });
    await server.storage?.whenReady();
  });

  afterAll(async () => {
    await server.stop();
    await repository[Symbol.asyncDispose]();
    await database[Symbol.asyncDispose]();
  });

  const read = async (path: string) => {
    const response = await fetch(new URL(path, server.address));
    expect(response.status).toBe(200);
    return response;
  };
  const list = async (query: string) =>
    ((await (await read(`/predictions?${query}`)).json()) as { readonly predictions: readonly Shown[] }).predictions;
  const shadowsOf = (model: string, count: number) =>
    expect.poll(() => list(`model=${model}&role=shadow`)).toHaveLength(count);

  test('is kept beside its prediction, row by row, and seen only where it is asked for', async () => {
    const rows = [
      [1, 3],
      [2, 3],
      [3, 2],
    ];
    const { status } = await postJson(server.address, '/models/net/predict', { scaled: rows });
    expect(status).toBe(200);
    await shadowsOf('net', 3);
    const primaries = await list('model=net');
    const shadows = await list('model=net&role=shadow');
    expect(primaries.map(({ version, role, of }) => [version, role, of])).toEqual(new Array(3).fill(['1', null, null]));
    expect(shadows.map(({ version, role, of }) => [version, role, of])).toEqual(
      primaries.map(({ id }) => ['2', 'shadow', id]),
    );
    expect(shadows.map(({ inputs }) => inputs)).toEqual([null, null, null]);
    expect(shadows.map(({ outputs }) => outputs)).toMatchObject([{ label: 0 }, { label: 0 }, { label: 1 }]);
    expect(await list('model=net&role=all')).toHaveLength(6);

    const lines = async (query: string) =>
      (await (await read(`/predictions/export?${query}`)).text()).trim().split('\n');
    expect(await lines('model=net')).toHaveLength(3);
    expect(await lines('model=net&role=shadow')).toHaveLength(3);
    const performance = (await (await read('/models/net/performance')).json()) as { readonly versions: unknown };
    expect(performance.versions).toMatchObject([{ version: '1', predictions: 3 }]);

    const [, unlike] = primaries;
    const feedback = await postJson(server.address, `/predictions/${unlike?.id}/feedback`, { label: 1 });
    expect(feedback.status).toBe(201);
    const results: unknown = await (await read('/models/net/traffic/results?since=1h')).json();
    const percentiles = { p50: expect.any(Number), p95: expect.any(Number), p99: expect.any(Number) };
    expect(results).toEqual({
      model: 'net',
      since: expect.any(String),
      shadow: {
        version: '2',
        failed: 0,
        agreement: { n: 3, agree: 2, share: 2 / 3, low: expect.closeTo(0.2077, 4), high: expect.closeTo(0.9385, 4) },
        latency_ms: { primary: percentiles, shadow: percentiles },
        judged: { n: 1, both_right: 0, b: 1, c: 0, p: 1 },
        disagreements: [
          {
            id: unlike?.id,
            shadow_id: shadows[1]?.id,
            at: expect.any(String),
            version: '1',
            primary: 1,
            shadow: 0,
          },
        ],
      },
    });
    const { value } = await scrape(server.address);
    expect(value('inferd_shadow_total', { model: 'net', version: '2', outcome: 'disagree' })).toBe(1);
    expect(value('inferd_shadow_duration_seconds_count', { model: 'net', version: '2' })).toBe(1);
    expect(value('inferd_inference_requests_total', { model: 'net', version: '2', code: 'OK' })).toBe(0);
  });

  test('of a typed prediction is decoded by the same domain', async () => {
    const { status } = await postJson(server.address, '/iris/predict/batch', { instances: [flower, flower] });
    expect(status).toBe(200);
    await shadowsOf('iris', 2);
    const primaries = await list('model=iris');
    const shadows = await list('model=iris&role=shadow');
    expect(shadows.map(({ outputs, domain }) => [outputs, domain])).toEqual(
      primaries.map(({ outputs }) => [outputs, 'iris']),
    );
    expect(shadows.map(({ of }) => of)).toEqual(primaries.map(({ id }) => id));
    const results: unknown = await (await read('/models/iris/traffic/results')).json();
    expect(results).toMatchObject({ shadow: { agreement: { n: 2, agree: 2 }, disagreements: [] } });
  });

  test('of tensors whose memory is emptied with the answer gets them whole', async () => {
    const data = Array.from({ length: 4096 }, (_, index) => index % 7);
    const inputs = [{ name: 'scaled', datatype: 'FP32', shape: [2048, 2], data: [] as number[] }];
    const bytes = Buffer.from(Float32Array.from(data).buffer);
    const [input] = inputs;
    const header = JSON.stringify({
      inputs: [{ ...input, data: undefined, parameters: { binary_data_size: bytes.byteLength } }],
      outputs: [{ name: 'label' }],
    });
    const before = (await scrape(server.address)).value('inferd_shadow_total', { model: 'net', outcome: 'disagree' });
    const response = await fetch(new URL('/v2/models/net/infer', server.address), {
      method: 'POST',
      headers: { 'inference-header-content-length': String(header.length), 'content-type': 'application/octet-stream' },
      body: Buffer.concat([Buffer.from(header), bytes]),
    });
    expect(response.status).toBe(200);
    const { outputs } = (await response.json()) as {
      readonly outputs: readonly { readonly data: readonly number[] }[];
    };
    expect(new Set(outputs[0]?.data)).toEqual(new Set([0, 1]));
    await expect
      .poll(async () =>
        (await scrape(server.address)).value('inferd_shadow_total', { model: 'net', outcome: 'disagree' }),
      )
      .toBe((before ?? 0) + 1);
  });
});
