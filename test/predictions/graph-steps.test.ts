import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { writeGraph, writeMembers } from '../graphs/write-graph-models.ts';
import { databaseKinds, type TestDatabase, temporaryDatabase } from '../helpers/database.ts';
import { type TemporaryFolder, temporaryFolder } from '../helpers/folder.ts';
import { postJson, startReadyServer, type TestServer } from '../helpers/server.ts';

const cascade = {
  steps: [
    { name: 'prepare', model: 'scaler' },
    { name: 'small', model: 'tree', in: { scaled: 'prepare.scaled' } },
    {
      name: 'answer',
      switch: [{ when: 'small.sure >= 0.8', use: { label: 'small.label', p: 'small.p', sure: 'small.sure' } }],
      otherwise: { model: 'net', in: { scaled: 'prepare.scaled' } },
    },
  ],
};

interface Listed {
  readonly predictions: readonly { readonly request_id: string; readonly steps: unknown }[];
}

describe.each(databaseKinds)('the prediction log on %s', (kind) => {
  let database: TestDatabase;
  let repository: TemporaryFolder;
  let server: TestServer;

  beforeAll(async () => {
    database = await temporaryDatabase(kind);
    repository = await temporaryFolder();
    await writeMembers(repository.path);
    await writeGraph(repository.path, 'cascade', cascade);
    server = await startReadyServer({ ...database.environment, MODELS_DIR: repository.path });
    await server.storage?.whenReady();
  });

  afterAll(async () => {
    await server.stop();
    await repository[Symbol.asyncDispose]();
    await database[Symbol.asyncDispose]();
  });

  it('says what became of the steps of a graph, and finds predictions by step and arm', async () => {
    const ask = async (id: string, model: string, body: object) => {
      const { status } = await postJson(server.address, `/models/${model}/predict`, body, { 'x-request-id': id });
      expect(status).toBe(200);
    };
    await ask('sure', 'cascade', { x: [[100, 30]] });
    await ask('unsure', 'cascade', { x: [[100, 11]] });
    await ask('direct', 'tree', { scaled: [[1, 3]] });

    const list = async (query: string) => {
      const response = await fetch(new URL(`/predictions?${query}`, server.address));
      return ((await response.json()) as Listed).predictions;
    };
    const ids = async (query: string) => (await list(query)).map(({ request_id }) => request_id).sort();
    expect(await ids('step=answer')).toEqual(['sure', 'unsure']);
    expect(await ids('step=answer&arm=0')).toEqual(['sure']);
    expect(await ids('arm=otherwise')).toEqual(['unsure']);
    expect(await ids('step=nothing')).toEqual([]);
    const [unsure] = await list('request_id=unsure');
    expect(unsure?.steps).toEqual([
      { name: 'prepare', model: 'scaler', version: '1', outcome: 'ok', ms: expect.any(Number) },
      { name: 'small', model: 'tree', version: '1', outcome: 'ok', ms: expect.any(Number) },
      { name: 'answer', model: 'net', version: '1', arm: 'otherwise', outcome: 'ok', ms: expect.any(Number) },
    ]);
    expect((await list('request_id=direct'))[0]?.steps).toBeNull();
  });
});
