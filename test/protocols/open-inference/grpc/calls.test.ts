import { once } from 'node:events';
import { cp, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { status } from '@grpc/grpc-js';
import { describe, expect, it } from 'vitest';
import { temporaryFolder } from '../../../helpers/folder.ts';
import { type GrpcClient, grpcClient } from '../../../helpers/grpc-client.ts';
import { addIdentityModel, identityModel } from '../../../helpers/identity-model.ts';
import { HeldRuns } from '../../../helpers/local-runner.ts';
import { startReadyServer, type TestServer } from '../../../helpers/server.ts';

const hangs = new URL('../../../fixtures/models/hangs.onnx', import.meta.url).pathname;

interface Setup extends AsyncDisposable {
  readonly client: GrpcClient;
  readonly server: TestServer;
  readonly runs: HeldRuns;
}

/** A server with the models `echo`, which gives its input back, and `hangs`, whose runs last until the test ends them. */
async function setUp(environment: Record<string, string> = {}): Promise<Setup> {
  const repository = await temporaryFolder();
  await addIdentityModel(repository.path, 'echo', 'FP32');
  await mkdir(join(repository.path, 'hangs', '1'), { recursive: true });
  await cp(hangs, join(repository.path, 'hangs', '1', 'model.onnx'));
  const runs = new HeldRuns('hangs');
  const settings = { MODELS_DIR: repository.path, GRPC_PORT: '0', ...environment };
  const server = await startReadyServer(settings, [], { spawnRunner: runs.spawnRunner });
  const client = grpcClient(server.grpcPort);
  const dispose = async () => {
    client[Symbol.dispose]();
    runs.release();
    await server.stop();
    await repository[Symbol.asyncDispose]();
  };
  return { client, server, runs, [Symbol.asyncDispose]: dispose };
}

function echo(value: number, id = '') {
  const contents = { fp32_contents: [value] };
  return { model_name: 'echo', id, inputs: [{ name: 'x', datatype: 'FP32', shape: [1, 1], contents }] };
}

function count(turns: number) {
  const contents = { int64_contents: [turns] };
  return { model_name: 'hangs', inputs: [{ name: 'turns', datatype: 'INT64', shape: [1], contents }] };
}

/** Its run is held. */
const forever = count(1);

const firstFloat = (response: unknown) => {
  const { raw_output_contents } = response as { raw_output_contents: Buffer[] };
  return raw_output_contents[0]?.readFloatLE();
};

describe('the server', () => {
  it('is off unless it has a port', async () => {
    await using folder = await temporaryFolder();
    await using server = await startReadyServer({ MODELS_DIR: folder.path }, []);
    expect(server.grpcPort).toBeUndefined();
  });

  it('tells of itself and of its models', async () => {
    await using setup = await setUp();
    const { client } = setup;
    expect(await client.call('ServerLive')).toEqual({ live: true });
    expect(await client.call('ServerReady')).toEqual({ ready: true });
    expect(await client.call('ServerMetadata')).toMatchObject({ name: 'inferd', version: '0.0.0-test' });
    expect(await client.call('ModelMetadata', { name: 'echo' })).toEqual({
      name: 'echo',
      versions: ['1'],
      platform: 'onnxruntime_onnx',
      inputs: [{ name: 'x', datatype: 'FP32', shape: ['-1', '-1'] }],
      outputs: [{ name: 'y', datatype: 'FP32', shape: ['-1', '-1'] }],
    });
    expect(await client.call('ModelConfig', { name: 'echo', version: '1' })).toEqual({
      config: {
        name: 'echo',
        platform: 'onnxruntime_onnx',
        backend: 'onnxruntime',
        version_policy: { policy_choice: 'latest', latest: { num_versions: 1 } },
        max_batch_size: 32,
        input: [{ name: 'x', data_type: 'TYPE_FP32', dims: ['-1'] }],
        output: [{ name: 'y', data_type: 'TYPE_FP32', dims: ['-1'] }],
        instance_group: [{ name: 'echo', kind: 'KIND_CPU', count: 1 }],
        ensemble_scheduling: null,
        dynamic_batching: { max_queue_delay_microseconds: '0', priority_levels: '10', default_priority_level: '5' },
      },
    });
    await expect(client.call('ModelMetadata', { name: 'nothing' })).rejects.toMatchObject({ code: status.NOT_FOUND });
    await expect(client.call('ModelConfig', { name: 'echo', version: '9' })).rejects.toMatchObject({
      code: status.NOT_FOUND,
    });
  });

  it('says which models are ready', async () => {
    await using setup = await setUp();
    const ready = async (request: object) => (await setup.client.call('ModelReady', { ...request }))['ready'];
    expect(await ready({ name: 'echo' })).toBe(true);
    expect(await ready({ name: 'echo', version: '1' })).toBe(true);
    expect(await ready({ name: 'echo', version: '2' })).toBe(false);
    expect(await ready({ name: 'nothing' })).toBe(false);
  });

  it('loads and unloads models', async () => {
    await using setup = await setUp();
    const { client } = setup;
    const index = async (ready = false) => (await client.call('RepositoryIndex', { ready }))['models'];
    const line = (name: string) => ({ name, version: '1', state: 'READY', reason: '' });
    expect(await index()).toEqual([line('echo'), line('hangs')]);

    expect(await client.call('RepositoryModelUnload', { model_name: 'hangs' })).toEqual({});
    expect(await index()).toEqual([line('echo'), { ...line('hangs'), state: 'UNAVAILABLE', reason: 'unloaded' }]);
    expect(await index(true)).toEqual([line('echo')]);
    await expect(client.call('ModelInfer', count(1))).rejects.toMatchObject({ code: status.NOT_FOUND });

    expect(await client.call('RepositoryModelLoad', { model_name: 'hangs' })).toEqual({});
    expect(await index()).toEqual([line('echo'), line('hangs')]);
    await expect(client.call('RepositoryModelLoad', { model_name: 'nothing' })).rejects.toMatchObject({
      code: status.NOT_FOUND,
    });
    const parameters = { config: { string_param: '{}' } };
    await expect(client.call('RepositoryModelLoad', { model_name: 'echo', parameters })).rejects.toMatchObject({
      code: status.PERMISSION_DENIED,
      details: expect.stringContaining('ALLOW_MODEL_UPLOAD'),
    });
  });

  it('loads what a call brings, where that is allowed', async () => {
    await using setup = await setUp({ ALLOW_MODEL_UPLOAD: '1' });
    const { client } = setup;
    const load = (parameters: object) => client.call('RepositoryModelLoad', { model_name: 'new', parameters });
    const config = { string_param: '{"description":"Brought"}' };
    await load({ config, 'file:1/model.onnx': { bytes_param: identityModel('INT8') } });
    expect(await client.call('ModelMetadata', { name: 'new' })).toMatchObject({ inputs: [{ datatype: 'INT8' }] });

    const refused: [object, status, RegExp][] = [
      [
        { config, 'file:1/model.onnx': { bytes_param: Buffer.from('broken') } },
        status.FAILED_PRECONDITION,
        /cannot be loaded/,
      ],
      [
        { config, 'file:1/graph.json': { bytes_param: Buffer.from('{"steps":[{"name":"a","modl":"new"}]}') } },
        status.FAILED_PRECONDITION,
        /steps\.0\.modl/,
      ],
      [{ 'file:1/model.onnx': { bytes_param: Buffer.alloc(1) } }, status.INVALID_ARGUMENT, /config is missing/],
      [{ config, 'file:1/model.onnx': { string_param: 'text' } }, status.INVALID_ARGUMENT, /bytes_param/],
      [{ other: { bool_param: true } }, status.INVALID_ARGUMENT, /other/],
    ];
    for (const [parameters, code, details] of refused) {
      await expect(load(parameters)).rejects.toMatchObject({ code, details: expect.stringMatching(details) });
    }
    expect(await client.call('ModelReady', { name: 'new' })).toEqual({ ready: true });
  });

  it('counts what the models have served', async () => {
    await using setup = await setUp();
    const { client } = setup;
    await client.call('ModelInfer', echo(1));
    await client.call('ModelInfer', { model_name: 'echo' }).catch(() => {});
    const { model_stats } = await client.call('ModelStatistics', { name: 'echo' });
    expect(model_stats).toMatchObject([
      {
        name: 'echo',
        version: '1',
        inference_count: '1',
        execution_count: '1',
        inference_stats: { success: { count: '1' }, fail: { count: '1' }, cache_hit: { count: '0' } },
        batch_stats: [{ batch_size: '1', compute_infer: { count: '1' } }],
      },
    ]);
    const everything = (await client.call('ModelStatistics')) as { model_stats: { name: string }[] };
    expect(everything.model_stats.map(({ name }) => name)).toEqual(['echo', 'hangs']);
  });
});

describe('a deadline', () => {
  it('of the client ends the call', async () => {
    await using setup = await setUp();
    const late = setup.client.call('ModelInfer', forever, { deadline: Date.now() + 200 });
    await expect(late).rejects.toMatchObject({ code: status.DEADLINE_EXCEEDED });
  });

  it('may be the parameter "timeout" in microseconds', async () => {
    await using setup = await setUp();
    const late = setup.client.call('ModelInfer', { ...forever, parameters: { timeout: { int64_param: 200_000 } } });
    await expect(late).rejects.toMatchObject({
      code: status.DEADLINE_EXCEEDED,
      details: expect.stringMatching(/deadline/),
    });
  });
});

describe('a call that is cancelled', () => {
  it('ends as cancelled, and never runs', async () => {
    await using setup = await setUp();
    const { client, server, runs } = setup;
    // The first occupies the only runner, so that the second waits: a busy one would be given a second of the normal level.
    const first = client.call('ModelInfer', forever);
    const stats = () => server.registry.getVersion('hangs', '1').engine?.stats();
    await expect.poll(() => stats()?.runners[0]?.state).toBe('busy');
    const patient = { ...count(1), parameters: { priority: { uint64_param: 9 } } };
    const second = client.begin('ModelInfer', patient, { metadata: { 'x-request-id': 'second' } });
    const ended = expect(second.response).rejects.toMatchObject({ code: status.CANCELLED });
    await expect.poll(() => stats()?.queueRows).toBe(1);
    second.cancel();
    await ended;
    // The end has arrived when a call that was sent after it is answered.
    await client.call('ServerLive');
    runs.release();
    await first;
    expect(stats()?.runners[0]?.runs).toBe(1);
    const isLogged = () => server.logLines.some((line) => line['request_id'] === 'second');
    await expect.poll(isLogged).toBe(true);
    expect(server.logLines).toContainEqual(expect.objectContaining({ request_id: 'second', grpc_status: 'CANCELLED' }));
  });
});

describe('ModelStreamInfer', () => {
  it('answers in the order of the requests, and goes on after an error', async () => {
    await using setup = await setUp();
    const stream = setup.client.stream();
    for (let index = 0; index < 200; index++) {
      stream.write(index === 100 ? { model_name: 'nothing', id: 'bad' } : echo(index, String(index)));
    }
    stream.end();
    const answers: Record<string, unknown>[] = [];
    for await (const answer of stream) answers.push(answer);
    expect(answers).toHaveLength(200);
    for (const [index, { error_message, infer_response }] of answers.entries()) {
      if (index === 100) {
        expect(error_message).toMatch(/^NOT_FOUND: .*"nothing"/);
        expect(infer_response).toMatchObject({ id: 'bad' });
        continue;
      }
      expect(error_message).toBe('');
      expect(infer_response).toMatchObject({ id: String(index) });
      expect(firstFloat(infer_response)).toBe(index);
    }
  });

  it('answers a request before the next one is sent', async () => {
    await using setup = await setUp();
    const stream = setup.client.stream();
    for (const value of [1, 2, 3]) {
      stream.write(echo(value));
      const [{ infer_response }] = await once(stream, 'data');
      expect(firstFloat(infer_response)).toBe(value);
    }
    stream.end();
    stream.resume();
    await once(stream, 'end');
  });

  it('may be cancelled, which frees what it had asked for', async () => {
    await using setup = await setUp();
    const { client, server } = setup;
    const stream = client.stream();
    stream.write(forever);
    stream.write(echo(1));
    const failed = once(stream, 'error');
    stream.cancel();
    const [error] = await failed.then(
      (values) => values,
      (thrown: unknown) => [thrown],
    );
    expect(error).toMatchObject({ code: status.CANCELLED });
    expect(firstFloat(await client.call('ModelInfer', echo(2)))).toBe(2);
    expect(server.registry.get('echo').versions[0]?.state).toBe('READY');
  });
});

describe('the health service', () => {
  it('checks the server and the service, and knows no other', async () => {
    await using setup = await setUp();
    const { client } = setup;
    expect(await client.call('Check', { service: '' })).toEqual({ status: 'SERVING' });
    expect(await client.call('Check', { service: 'inference.GRPCInferenceService' })).toEqual({ status: 'SERVING' });
    await expect(client.call('Check', { service: 'other' })).rejects.toMatchObject({ code: status.NOT_FOUND });
  });

  it('tells a watcher when the status changes', async () => {
    await using setup = await setUp();
    const { client } = setup;
    const watcher = client.watch('');
    const seen: unknown[] = [];
    watcher.on('data', (answer) => seen.push(answer));
    await once(watcher, 'data');
    expect(seen).toEqual([{ status: 'SERVING' }]);

    const changed = once(watcher, 'data');
    await client.call('RepositoryModelUnload', { model_name: 'hangs' });
    await client.call('RepositoryModelUnload', { model_name: 'echo' });
    await changed;
    expect(seen).toEqual([{ status: 'SERVING' }, { status: 'NOT_SERVING' }]);
    watcher.on('error', () => {});
    watcher.cancel();
  });

  it('tells a watcher of an unknown service that it is unknown', async () => {
    await using setup = await setUp();
    const watcher = setup.client.watch('other');
    expect(await once(watcher, 'data')).toEqual([{ status: 'SERVICE_UNKNOWN' }]);
    watcher.on('error', () => {});
    watcher.cancel();
  });
});

describe('a stop', () => {
  it('answers what is in flight, ends streams and watchers, and takes nothing more', async () => {
    await using setup = await setUp();
    const { client, server, runs } = setup;
    const stream = client.stream();
    const watcher = client.watch('');
    await once(watcher, 'data');
    stream.write(echo(1));
    await once(stream, 'data');
    const inFlight = client.call('ModelInfer', count(1));
    stream.write(echo(2));

    const streamEnd = once(stream, 'error').then(
      ([error]) => error,
      (thrown: unknown) => thrown,
    );
    const lastStatus = once(watcher, 'data');
    const watcherEnd = once(watcher, 'end');
    watcher.on('error', () => {});
    stream.resume();
    // The calls have arrived when one that was sent after them is answered.
    await client.call('ServerLive');
    const stopped = server.stop();
    await lastStatus;
    runs.release();
    await stopped;

    expect(firstFloat(await inFlight)).toBe(0);
    expect(await streamEnd).toMatchObject({ code: status.UNAVAILABLE });
    expect(await lastStatus).toEqual([{ status: 'NOT_SERVING' }]);
    await watcherEnd;
    await expect(client.call('ServerLive', {}, { deadline: Date.now() + 1000 })).rejects.toMatchObject({
      code: expect.toSatisfy((code) => [status.UNAVAILABLE, status.DEADLINE_EXCEEDED].includes(code)),
    });
  });
});
