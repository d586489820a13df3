import { describe, expect, it } from 'vitest';
import { fixtureRepository } from '../../helpers/folder.ts';
import { grpcClient } from '../../helpers/grpc-client.ts';
import { HeldRuns } from '../../helpers/local-runner.ts';
import { postJson, startReadyServer } from '../../helpers/server.ts';

/** A server with a model whose requests run one by one, once the test lets them. */
async function setUp() {
  const manifest = JSON.stringify({ batching: { enabled: false } });
  const repository = await fixtureRepository(['hangs'], { 'hangs/model.json': manifest });
  const runs = new HeldRuns('hangs');
  const settings = { MODELS_DIR: repository.path, GRPC_PORT: '0' };
  const server = await startReadyServer(settings, [], { spawnRunner: runs.spawnRunner });
  const client = grpcClient(server.grpcPort);
  const stats = () => server.registry.getVersion('hangs', '1').engine?.stats();
  return {
    address: server.address,
    client,
    runs,
    whenBusy: () => expect.poll(() => stats()?.runners[0]?.state).toBe('busy'),
    whenWaiting: (rows: number) => expect.poll(() => stats()?.queueRows).toBe(rows),
    [Symbol.asyncDispose]: async () => {
      client[Symbol.dispose]();
      runs.release();
      await server.stop();
      await repository[Symbol.asyncDispose]();
    },
  };
}

type Setup = Awaited<ReturnType<typeof setUp>>;

const turns = 1;
const inputs = [{ name: 'turns', datatype: 'INT64', shape: [1], data: [turns] }];

/** Every way to say how urgent a request is. */
const ways: Record<string, ({ address, client }: Setup, priority: number | undefined) => Promise<unknown>> = {
  'the parameter of /v2': ({ address }, priority) =>
    postJson(address, '/v2/models/hangs/infer', { inputs, parameters: { priority } }),
  'the parameter at /invocations': ({ address }, priority) =>
    postJson(address, '/invocations', { inputs, parameters: { priority } }),
  'the header at /v2': ({ address }, priority) =>
    postJson(address, '/v2/models/hangs/infer', { inputs }, header(priority)),
  'the header at a native route': ({ address }, priority) =>
    postJson(address, '/models/hangs/predict', { turns: [turns] }, header(priority)),
  'the header at /v1': ({ address }, priority) =>
    postJson(address, '/v1/models/hangs:predict', { instances: [turns] }, header(priority)),
  'the parameter of gRPC': ({ client }, priority) =>
    client.call('ModelInfer', {
      model_name: 'hangs',
      inputs: [{ name: 'turns', datatype: 'INT64', shape: [1], contents: { int64_contents: [turns] } }],
      ...(priority !== undefined && { parameters: { priority: { uint64_param: priority } } }),
    }),
};

function header(priority: number | undefined): Record<string, string> {
  return priority === undefined ? {} : { 'x-request-priority': String(priority) };
}

describe('priority', () => {
  it.each(Object.entries(ways))('by %s decides who is served first', async (_, send) => {
    await using setup = await setUp();
    const answered: string[] = [];
    const first = send(setup, undefined);
    await setup.whenBusy();
    const waiting: Promise<unknown>[] = [];
    // All are below the normal level: a busy runner may be given one of that, and nobody would see it wait.
    for (const [name, priority] of [
      ['low', 8],
      ['lowest', 9],
      ['high', 6],
    ] as const) {
      waiting.push(send(setup, priority).then(() => answered.push(name)));
      await setup.whenWaiting(waiting.length);
    }
    setup.runs.release();
    await Promise.all([first, ...waiting]);
    expect(answered).toEqual(['high', 'low', 'lowest']);
  });

  it('of the body holds where the header says another', async () => {
    await using setup = await setUp();
    const answered: string[] = [];
    const send = (name: string, body: object, headers: Record<string, string> = {}) =>
      postJson(setup.address, '/v2/models/hangs/infer', { inputs, ...body }, headers).then(() => answered.push(name));
    const first = send('first', {});
    await setup.whenBusy();
    const both = send('both', { parameters: { priority: 9 } }, header(1));
    await setup.whenWaiting(1);
    const other = send('other', { parameters: { priority: 8 } });
    await setup.whenWaiting(2);
    setup.runs.release();
    await Promise.all([first, both, other]);
    expect(answered).toEqual(['first', 'other', 'both']);
  });

  it.each(['-1', '1.5', 'high', '99999999999', ''])('is refused as %j in the header', async (value) => {
    await using setup = await setUp();
    const answer = await postJson(
      setup.address,
      '/models/hangs/predict',
      { turns: [1] },
      { 'x-request-priority': value },
    );
    expect(answer).toMatchObject({
      status: 400,
      body: { code: 'MALFORMED_HEADER', errors: [{ location: ['header', 'x-request-priority'] }] },
    });
  });
});
