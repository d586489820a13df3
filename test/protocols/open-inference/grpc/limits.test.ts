import { once } from 'node:events';
import { type Metadata, type ServiceError, status } from '@grpc/grpc-js';
import { describe, expect, it } from 'vitest';
import { fixtureRepository } from '../../../helpers/folder.ts';
import { grpcClient } from '../../../helpers/grpc-client.ts';
import { addIdentityModel } from '../../../helpers/identity-model.ts';
import { temporaryKeyFile } from '../../../helpers/keys.ts';
import { HeldRuns } from '../../../helpers/local-runner.ts';
import { startReadyServer } from '../../../helpers/server.ts';

/** A server with the models `echo`, which gives its input back, and `hangs`, whose runs last until the end of the test. */
async function start(environment: Record<string, string>) {
  const repository = await fixtureRepository(['hangs']);
  await addIdentityModel(repository.path, 'echo', 'FP32');
  const runs = new HeldRuns('hangs');
  const settings = { MODELS_DIR: repository.path, GRPC_PORT: '0' };
  const server = await startReadyServer({ ...settings, ...environment }, [], { spawnRunner: runs.spawnRunner });
  const client = grpcClient(server.grpcPort);
  return {
    client,
    address: server.address,
    whenBusy: () =>
      expect.poll(() => server.registry.getVersion('hangs', '1').engine?.stats().runners[0]?.state).toBe('busy'),
    [Symbol.asyncDispose]: async () => {
      client[Symbol.dispose]();
      runs.release();
      await server.stop();
      await repository[Symbol.asyncDispose]();
    },
  };
}

type Server = Awaited<ReturnType<typeof start>>;

const echo = {
  model_name: 'echo',
  inputs: [{ name: 'x', datatype: 'FP32', shape: [1, 1], contents: { fp32_contents: [7] } }],
};
const forever = {
  model_name: 'hangs',
  inputs: [{ name: 'turns', datatype: 'INT64', shape: [1], contents: { int64_contents: [1] } }],
};
const bearer = (key: string) => ({ authorization: `Bearer ${key}` });
const infer = ({ client }: Server, metadata: Record<string, string> = {}) =>
  client.call('ModelInfer', echo, { metadata });
const refused = (details: RegExp) =>
  expect.objectContaining({ code: status.RESOURCE_EXHAUSTED, details: expect.stringMatching(details) });

async function metadataOfFailure(failing: Promise<unknown>): Promise<Metadata> {
  const error = await failing.then(
    () => undefined,
    (thrown: ServiceError) => thrown,
  );
  if (error === undefined) throw new Error('the call did not fail');
  return error.metadata;
}

describe('RATE_LIMIT_PER_MINUTE', () => {
  it('refuses the calls that are more, and tells when to try again', async () => {
    await using server = await start({ RATE_LIMIT_PER_MINUTE: '2' });
    await infer(server);
    await server.client.call('ModelMetadata', { name: 'echo' });
    await expect(infer(server)).rejects.toEqual(refused(/2 requests a minute/));

    const metadata = await metadataOfFailure(infer(server));
    const seconds = Number(metadata.get('grpc-retry-pushback-ms')[0]) / 1000;
    expect(seconds).toBeGreaterThan(0);
    expect(seconds).toBeLessThanOrEqual(60);
    const [details] = metadata.get('grpc-status-details-bin');
    expect(String(details)).toContain('type.googleapis.com/google.rpc.RetryInfo');
    // The last bytes are those of the delay: field 1, its length, and the seconds.
    expect([...Buffer.from(details ?? '').subarray(-4)]).toEqual([10, 2, 8, expect.closeTo(seconds, -0.5)]);
  });

  it('never holds for health', async () => {
    await using server = await start({ RATE_LIMIT_PER_MINUTE: '1' });
    for (let i = 0; i < 4; i += 1) {
      for (const method of ['Check', 'ServerLive', 'ServerReady']) await server.client.call(method);
    }
  });

  it('counts the requests of both protocols together', async () => {
    await using server = await start({ RATE_LIMIT_PER_MINUTE: '2' });
    await infer(server);
    expect((await fetch(new URL('/models', server.address))).status).toBe(200);
    await expect(infer(server)).rejects.toEqual(refused(/2 requests a minute/));
    expect((await fetch(new URL('/models', server.address))).status).toBe(429);
  });

  it('counts each key by itself, by its own limit, and wrong keys by their address', async () => {
    await using keys = await temporaryKeyFile();
    const [one, other] = [await keys.add({ limits: { ratePerMinute: 3 } }), await keys.add()];
    await using server = await start({ RATE_LIMIT_PER_MINUTE: '2', API_KEYS_FILE: keys.file });
    for (let i = 0; i < 3; i += 1) await infer(server, bearer(one.key));
    await expect(infer(server, bearer(one.key))).rejects.toEqual(refused(/3 requests/));
    for (let i = 0; i < 2; i += 1) await infer(server, bearer(other.key));
    await expect(infer(server, bearer(other.key))).rejects.toEqual(refused(/2 requests/));

    const guess = () => infer(server, bearer(`inferd_${one.id}_${Math.random()}`));
    for (let i = 0; i < 2; i += 1) await expect(guess()).rejects.toMatchObject({ code: status.UNAUTHENTICATED });
    await expect(guess()).rejects.toEqual(refused(/2 requests/));
  });

  it('counts every request of a stream, and the stream goes on', async () => {
    await using server = await start({ RATE_LIMIT_PER_MINUTE: '2' });
    const stream = server.client.stream();
    const answers: unknown[] = [];
    stream.on('data', (answer) => answers.push(answer));
    for (const id of ['1', '2', '3']) stream.write({ ...echo, id });
    stream.end();
    await once(stream, 'end');
    expect(answers).toMatchObject([
      { error_message: '', infer_response: { id: '1' } },
      { error_message: '', infer_response: { id: '2' } },
      { error_message: expect.stringMatching(/^RESOURCE_EXHAUSTED: 2 requests/), infer_response: { id: '3' } },
    ]);
  });

  it('slows down those who try keys by opening streams', async () => {
    await using keys = await temporaryKeyFile();
    await keys.add();
    await using server = await start({ RATE_LIMIT_PER_MINUTE: '2', API_KEYS_FILE: keys.file });
    const open = async () => {
      const [error] = await once(server.client.stream(bearer('wrong')), 'error');
      return error.code;
    };
    expect([await open(), await open(), await open()]).toEqual([
      status.UNAUTHENTICATED,
      status.UNAUTHENTICATED,
      status.RESOURCE_EXHAUSTED,
    ]);
  });
});

describe('MAX_CONCURRENT_PER_CALLER', () => {
  it('refuses the next call until one has ended, however it ended', async () => {
    await using server = await start({ MAX_CONCURRENT_PER_CALLER: '1' });
    const slow = server.client.begin('ModelInfer', forever);
    slow.response.catch(() => {});
    await server.whenBusy();
    await expect(infer(server)).rejects.toEqual(refused(/1 requests are under way/));
    expect((await metadataOfFailure(infer(server))).get('grpc-retry-pushback-ms')).toEqual(['1000']);
    expect((await fetch(new URL('/models', server.address))).status).toBe(429);
    await server.client.call('Check');

    slow.cancel();
    await expect.poll(() => infer(server)).toMatchObject({ model_name: 'echo' });
    await infer(server);
  });

  it('is each key for itself, with a limit of its own if it has one', async () => {
    await using keys = await temporaryKeyFile();
    const [busy, idle] = [await keys.add({ limits: { concurrency: 1 } }), await keys.add()];
    await using server = await start({ API_KEYS_FILE: keys.file });
    const slow = server.client.begin('ModelInfer', forever, { metadata: bearer(busy.key) });
    slow.response.catch(() => {});
    await server.whenBusy();
    await expect(infer(server, bearer(busy.key))).rejects.toEqual(refused(/1 requests/));
    await infer(server, bearer(idle.key));
    slow.cancel();
  });

  it('holds for the requests of a stream', async () => {
    await using server = await start({ MAX_CONCURRENT_PER_CALLER: '1' });
    const stream = server.client.stream();
    stream.on('error', () => {});
    stream.write({ ...forever, id: 'slow' });
    await server.whenBusy();
    await expect(infer(server)).rejects.toEqual(refused(/1 requests/));
    stream.cancel();
    await expect.poll(() => infer(server)).toMatchObject({ model_name: 'echo' });
  });
});
