import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parquetReadObjects } from 'hyparquet';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { inferdHere } from '../helpers/command.ts';
import { databaseKinds, type TestDatabase, temporaryDatabase } from '../helpers/database.ts';
import { type TemporaryFolder, temporaryFolder } from '../helpers/folder.ts';
import { identityModel } from '../helpers/identity-model.ts';
import { postJson, startReadyServer, type TestServer } from '../helpers/server.ts';

/** Numbers that are others after a `JSON.parse` or a `JSON.stringify`, as a client sends them and as they are kept. */
const numbers = [
  { model: 'whole', sent: '9007199254740993', kept: '9007199254740993' },
  { model: 'whole', sent: '-9007199254740993', kept: '-9007199254740993' },
  { model: 'broken', sent: '-0.0', kept: '-0.0' },
  { model: 'broken', sent: 'NaN', kept: '"NaN"' },
  { model: 'broken', sent: '-Infinity', kept: '"-Infinity"' },
  { model: 'broken', sent: '5e-324', kept: '5e-324' },
] as const;

describe.each(databaseKinds)('the numbers of predictions on %s', (kind) => {
  let database: TestDatabase;
  let repository: TemporaryFolder;
  let server: TestServer;

  beforeAll(async () => {
    database = await temporaryDatabase(kind);
    repository = await temporaryFolder();
    for (const [name, datatype] of [
      ['whole', 'INT64'],
      ['broken', 'FP64'],
    ] as const) {
      for (const [version, operator] of [
        ['1', 'Identity'],
        ['2', 'Abs'],
      ] as const) {
        await mkdir(join(repository.path, name, version), { recursive: true });
        await writeFile(join(repository.path, name, version, 'model.onnx'), identityModel(datatype, operator));
      }
      await writeFile(join(repository.path, name, 'model.json'), '{"versionPolicy": {"specific": [1]}}');
    }
    server = await startReadyServer({ ...database.environment, MODELS_DIR: repository.path });
    await server.storage?.whenReady();
  });

  afterAll(async () => {
    await server.stop();
    await repository[Symbol.asyncDispose]();
    await database[Symbol.asyncDispose]();
  });

  const textOf = async (path: string) => (await fetch(new URL(path, server.address))).text();

  it.each(numbers)('of $model: $sent are the same in every list and file', async ({ model, sent, kept }) => {
    const reply = await fetch(new URL(`/models/${model}/predict`, server.address), {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-request-id': `exact${sent}` },
      body: `{"x": [[${sent}]]}`,
    });
    expect(reply.status).toBe(200);
    const both = `"inputs":{"x":[${kept}]},"outputs":{"y":[${kept}]}`;
    const query = `request_id=exact${sent}`;
    expect(await textOf(`/predictions/${reply.headers.get('x-prediction-id')}`)).toContain(both);
    expect(await textOf(`/predictions?${query}`)).toContain(both);
    expect(await textOf(`/predictions/export?${query}`)).toContain(both);
    const cells = [`{"x":[${kept}]}`, `{"y":[${kept}]}`].map((cell) => `"${cell.replaceAll('"', '""')}"`);
    expect(await textOf(`/predictions/export?${query}&format=csv`)).toContain(`,${cells.join(',')},`);
    const parquet = await fetch(new URL(`/predictions/export?${query}&format=parquet`, server.address));
    const jsonFromBytes = (bytes: Uint8Array) => Buffer.from(bytes).toString();
    const rows = await parquetReadObjects({ file: await parquet.arrayBuffer(), parsers: { jsonFromBytes } });
    expect(rows).toMatchObject([{ inputs: `{"x":[${kept}]}`, outputs: `{"y":[${kept}]}` }]);
  });

  it('that are labels are not rounded: what no double holds is a text', async () => {
    const reply = await fetch(new URL('/models/whole/predict', server.address), {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{"x": [[9007199254740993]]}',
    });
    const path = `/predictions/${reply.headers.get('x-prediction-id')}/feedback`;
    const judge = (label: string) => postJson(server.address, path, `{"label": ${label}}`);
    expect(await judge('9007199254740993')).toMatchObject({
      status: 422,
      body: { errors: [{ location: ['body', 'label'], message: expect.stringContaining('is a text') }] },
    });
    expect(await judge('"9007199254740993"')).toMatchObject({ status: 201 });
    const performance = await fetch(new URL('/models/whole/performance', server.address));
    expect(await performance.json()).toMatchObject({ versions: [{ labelled: 1, accuracy: 1 }] });
  });

  it('are JSON in every answer', async () => {
    const { headers } = await fetch(new URL('/predictions', server.address));
    expect(headers.get('content-type')).toBe('application/json; charset=utf-8');
    expect(JSON.parse(await textOf('/predictions?limit=2'))).toMatchObject({
      predictions: [{ feedback: { label: '9007199254740993' } }, { feedback: null }],
      next_cursor: expect.any(String),
      dropped: { rate: 0 },
    });
  });

  it.each(['server', 'storage'] as const)('are given to another version as they were, from the %s', async (source) => {
    const replay = async (model: string) => {
      const from = source === 'server' ? ['--url', server.address] : [];
      const args = ['replay', '--model', model, '--version', '2', '--json', ...from];
      const storage = source === 'server' ? { STORAGE: 'off' } : database.environment;
      return (await inferdHere(args, { MODELS_DIR: repository.path, ...storage })).output.replaceAll(/\s+/g, '');
    };
    // The embedded database is for one process.
    if (source === 'storage' && kind === 'embedded') await server.stop();
    const whole = await replay('whole');
    expect(whole).toContain('"agreed":2,');
    expect(whole).toContain(
      '"inputs":{"x":[-9007199254740993]},"logged":[-9007199254740993],"replayed":[9007199254740993]',
    );
    const broken = await replay('broken');
    expect(broken).toContain('"inputs":{"x":["-Infinity"]},"logged":["-Infinity"],"replayed":["Infinity"]');
    expect(broken).toContain('"agreed":3,');
  });
});
