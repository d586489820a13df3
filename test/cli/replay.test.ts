import { cp, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { writeTinyClassifier, writeTinyReaders, writeTinyTexts } from '../faces/tiny-texts.ts';
import { petals } from '../fixtures/petals.ts';
import { inferd, inferdHere } from '../helpers/command.ts';
import { databaseKinds, type TestDatabase, temporaryDatabase } from '../helpers/database.ts';
import { FileServer } from '../helpers/file-server.ts';
import { type TemporaryFolder, temporaryRepository } from '../helpers/folder.ts';
import { identityModel } from '../helpers/identity-model.ts';
import { postJson, startReadyServer, type TestServer } from '../helpers/server.ts';

const passengers = [
  { pclass: 1, sex: 'female', age: 38 },
  { pclass: 3, sex: 'male' },
];

describe.each(databaseKinds)('inferd replay with predictions on %s', (kind) => {
  let database: TestDatabase;
  let repository: TemporaryFolder;
  let server: TestServer;
  let environment: Record<string, string>;

  /** The first version of `number` gives the number itself, the second its absolute value. */
  beforeAll(async () => {
    database = await temporaryDatabase(kind);
    repository = await temporaryRepository('titanic', 'digits');
    await cp(join(repository.path, 'titanic', '1'), join(repository.path, 'titanic', '2'), { recursive: true });
    for (const [version, operator] of [
      ['1', 'Identity'],
      ['2', 'Abs'],
    ] as const) {
      await mkdir(join(repository.path, 'number', version), { recursive: true });
      await writeFile(join(repository.path, 'number', version, 'model.onnx'), identityModel('INT64', operator));
    }
    await writeFile(join(repository.path, 'number', 'model.json'), '{"versionPolicy": {"specific": [1]}}');
    await writeTinyClassifier(repository.path);
    await writeTinyTexts(repository.path);
    await writeTinyReaders(repository.path);
    environment = { ...database.environment, MODELS_DIR: repository.path };
    server = await startReadyServer(environment);
    await server.storage?.whenReady();

    const { headers } = await postJson(server.address, '/models/number/predict', { x: [[-1], [2], [3], [4]] });
    const id = headers.get('x-prediction-id');
    for (const [row, label] of [1, 2, 3, 5].entries()) {
      const path = `/predictions/${row === 0 ? id : `${id}.${row}`}/feedback`;
      expect(await postJson(server.address, path, { label })).toMatchObject({ status: 201 });
    }
    await postJson(server.address, '/titanic/predict/batch', { instances: passengers });
    await postJson(server.address, '/digits/predict', { image: Buffer.from('none').toString('base64') });
  });

  afterAll(async () => {
    await server.stop();
    await repository[Symbol.asyncDispose]();
    await database[Symbol.asyncDispose]();
  });

  const replay = (...args: readonly string[]) =>
    inferdHere(['replay', '--url', server.address, ...args], { MODELS_DIR: repository.path, STORAGE: 'off' });

  it('says how far another version agrees, what has changed, and how good both are', async () => {
    const { code, output } = await replay('--model', 'number', '--version', '2', '--json');
    expect(JSON.parse(output)).toMatchObject({
      passed: true,
      replayed: 4,
      agreed: 3,
      agreement: 0.75,
      failed: 0,
      changed: [{ inputs: { x: [-1] }, logged: [-1], replayed: [1], label: 1 }],
      score: { logged: { labelled: 4, accuracy: 0.5 }, replayed: { labelled: 4, accuracy: 0.75 } },
      latency_ms: { replayed: { p50: expect.any(Number) } },
    });
    expect(code).toBe(0);
  });

  it('gives texts to a face as they were given, cut where they were and to as many dimensions', async () => {
    const { address } = server;
    const long = new Array(40).fill('good film').join(' ');
    expect(await postJson(address, '/mood/predict?too_long=truncate', { text: long })).toMatchObject({ status: 200 });
    expect(await postJson(address, '/mood/predict', { text: 'bad' })).toMatchObject({ status: 200 });
    expect(await postJson(address, '/embedder/predict?dimensions=1', { text: 'cats' })).toMatchObject({ status: 200 });
    expect(await postJson(address, '/v1/embeddings', { input: 'dogs' })).toMatchObject({ status: 200 });
    expect(
      await postJson(address, '/ranker/predict?too_long=truncate', { query: 'dogs', documents: ['cats', long] }),
    ).toMatchObject({ status: 200 });
    for (const [model, replayed] of [
      ['mood', 2],
      ['embedder', 2],
      ['ranker', 1],
    ] as const) {
      const { output } = await replay('--model', model, '--version', '1', '--json');
      expect(JSON.parse(output)).toMatchObject({ replayed, agreed: replayed, failed: 0 });
    }
  });

  it('asks a face as the request has asked, whatever the answer shows of that', async () => {
    const { address } = server;
    const asked = [
      ['names', '/names/predict?aggregation=none', { text: 'dogs and cats' }, { aggregation: 'none' }],
      ['answers', '/answers/predict?top_k=2', { question: 'bark', context: 'cats and dogs sleep' }, { top_k: 2 }],
      [
        'ranker',
        '/v1/rerank',
        { query: 'dogs', documents: ['cats sleep and', 'good'], max_tokens_per_doc: 1 },
        { max_document_tokens: 1 },
      ],
      ['mood', '/mood/predict', { text: 'good' }, null],
    ] as const;
    for (const [model, path, body, options] of asked) {
      const { status, headers } = await postJson(address, path, body);
      const id = headers.get('x-prediction-id');
      expect({ path, status }).toEqual({ path, status: 200 });
      const found = async () => (await fetch(new URL(`/predictions/${id}`, address))).json();
      await expect.poll(found, { timeout: 20_000 }).toMatchObject({ model, options: options ?? null });
      const { output } = await replay('--model', model, '--version', '1', '--json');
      const report = JSON.parse(output);
      expect({ model, changed: report.changed, failures: report.failures }).toEqual({
        model,
        changed: [],
        failures: [],
      });
      expect(report.replayed).toBeGreaterThan(0);
    }
  });

  it('exits with 1 when a limit does not hold, and says which', async () => {
    const limits = ['--min-agreement', '0.8', '--min-score', '0.75'];
    const { code, output } = await replay('--model', 'number', '--version', '2', ...limits);
    expect(output).toContain('Agreement   75.0 % (3 of 4)\n');
    expect(output).toContain('Score       50.0 % logged, 75.0 % replayed, on 4 labels\n');
    expect(output).toMatch(/Changed {5}\S+: \[-1\] is now \[1\], the label is 1\n/);
    expect(output).toContain('Limit       agreement is 0.75, expected at least 0.8\n');
    expect(output).not.toContain('accuracy is');
    expect(output).toMatch(/Not passed\n$/);
    expect(code).toBe(1);
  });

  it('gives the instances of a domain to another version', async () => {
    const { code, output } = await replay('--model', 'titanic', '--version', '2', '--min-agreement', '1');
    expect(output).toContain('Agreement   100.0 % (2 of 2)\n');
    expect(code).toBe(0);
  });

  it('exits with 2 when there is nothing to replay', async () => {
    const none = await replay('--model', 'digits', '--version', '1');
    expect(none).toMatchObject({ code: 2, output: expect.stringContaining('there was nothing to replay') });
    const unknown = await replay('--model', 'titanic', '--version', '3');
    expect(unknown).toMatchObject({ code: 2, errors: expect.stringContaining('it has: 2, 1') });
    const wrong = await replay('--model', 'titanic', '--version', '1', '--since', 'soon');
    expect(wrong).toMatchObject({ code: 2, errors: expect.stringContaining('--since: expected 24h') });
    const away = await FileServer.start();
    const { href } = away.url('/');
    await away[Symbol.asyncDispose]();
    const refused = await inferdHere(['replay', '--model', 'titanic', '--version', '1', '--url', href], environment);
    expect(refused).toMatchObject({ code: 2, errors: expect.stringContaining('ECONNREFUSED') });
  });

  it('reads the database itself when no server has it', async () => {
    await using own = await temporaryDatabase(kind);
    const settings = { ...own.environment, MODELS_DIR: repository.path };
    const first = await startReadyServer(settings);
    await first.storage?.whenReady();
    await postJson(first.address, '/models/number/predict', { x: [[5], [6], [7]] });
    await first.stop();
    const args = ['replay', '--model', 'number', '--version', '2', '--from-version', '1', '--limit', '2'];
    const { code, output } = await inferd(args, settings);
    expect(output).toContain('Replayed    2 predictions, 0 failed\n');
    expect(code).toBe(0);
  });
});

describe('inferd replay with a domain of the user', () => {
  const file = 'test/fixtures/petals.ts';

  it('gives its instances to another version when it is told where the domain is', async () => {
    await using database = await temporaryDatabase('embedded');
    await using repository = await temporaryRepository('iris');
    await cp(join(repository.path, 'iris', '1'), join(repository.path, 'iris', '2'), { recursive: true });
    await using server = await startReadyServer({ ...database.environment, MODELS_DIR: repository.path }, [petals]);
    await server.storage?.whenReady();
    const instances = [
      { length: 1.4, width: 0.2 },
      { length: 5.1, width: 1.8 },
    ];
    await postJson(server.address, '/petals/predict/batch', { instances });
    const args = ['replay', '--url', server.address, '--model', 'iris', '--version', '2'];
    const replay = (...others: readonly string[]) =>
      inferdHere([...args, ...others], { MODELS_DIR: repository.path, STORAGE: 'off' });

    const told = await replay('--domains', file);
    expect(told).toMatchObject({ code: 0, output: expect.stringContaining('Agreement   100.0 % (2 of 2)\n') });
    const untold = await replay();
    expect(untold.output).toContain('there is no domain "petals" here, but iris, titanic, digits, sentiment: give');
    expect(untold).toMatchObject({ code: 2, output: expect.stringContaining('--domains\n') });
    const none = await replay('--domains', 'test/fixtures/iris.json');
    expect(none).toMatchObject({ code: 2, errors: expect.stringContaining('Nothing could be replayed: ') });
    const empty = await replay('--domains', 'src/errors.ts');
    expect(empty).toMatchObject({ code: 2, errors: expect.stringContaining('src/errors.ts has no default export') });
  });

  it('counts its instances', async () => {
    await using repository = await temporaryRepository('iris');
    const instances = join(repository.path, 'petals.jsonl');
    await writeFile(instances, '{"length": 1.4, "width": 0.2}\n{"length": 5.1, "width": 1.8}\n');
    const args = ['distribution', '--model', 'iris', '--instances', instances, '--domains', file];
    expect(await inferdHere(args, { MODELS_DIR: repository.path })).toMatchObject({ code: 0, errors: '' });
    const written = JSON.parse(await readFile(join(repository.path, 'iris', '1', 'distribution.json'), 'utf8'));
    expect(written).toMatchObject({ domain: 'petals', outputs: { setosa: { counts: { true: 1, false: 1 } } } });
  });
});

describe('inferd distribution', () => {
  it('counts instances of a domain, and what the model makes of them, beside the model', async () => {
    await using repository = await temporaryRepository('titanic');
    const instances = join(repository.path, 'passengers.jsonl');
    await writeFile(instances, passengers.map((passenger) => `${JSON.stringify(passenger)}\n`).join(''));
    const args = ['distribution', '--model', 'titanic', '--instances', instances, '--source', 'two passengers'];
    expect(await inferd(args, { MODELS_DIR: repository.path })).toMatchObject({ code: 0, errors: '' });
    const path = join(repository.path, 'titanic', '1', 'distribution.json');
    const { default: written } = await import(path, { with: { type: 'json' } });
    expect(written).toMatchObject({
      source: 'two passengers',
      domain: 'titanic',
      count: 2,
      inputs: { sex: { counts: { female: 1, male: 1 } }, age: { missing: 1 }, sibsp: { counts: { 0: 2 } } },
      outputs: { survived: { counts: { 0: 1, 1: 1 } } },
    });
  });

  it('says which instance cannot be taken, and writes nothing', async () => {
    await using repository = await temporaryRepository('titanic');
    const instances = join(repository.path, 'passengers.jsonl');
    await writeFile(instances, '{"pclass": 9, "sex": "male"}\n');
    const args = ['distribution', '--model', 'titanic', '--instances', instances];
    const { code, errors } = await inferdHere(args, { MODELS_DIR: repository.path });
    expect(errors).toContain('"pclass": 9');
    expect(code).toBe(1);
  });
});
