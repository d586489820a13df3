import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { cp, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { spawnRunner } from '../../src/inference/runner/spawn-runner.ts';
import { readSettings } from '../../src/settings.ts';
import { RemoteModels } from '../../src/sources/fetch-models.ts';
import { shippedModelsDir, temporaryFolder } from '../helpers/folder.ts';
import { freePort } from '../helpers/free-port.ts';
import { postJson, startReadyServer } from '../helpers/server.ts';
import { createPatience } from '../sources/patience.ts';
import { fetchModels } from '../sources/remote-models.ts';
import { run } from './program.ts';

const flower = { sepal_length: 5.9, sepal_width: 3.0, petal_length: 5.1, petal_width: 1.8 };

const resources = new AsyncDisposableStack();
let environment: Record<string, string>;

/** Moto, which speaks S3 as Amazon does, and checks signatures after the first three requests. */
beforeAll(async () => {
  const port = await freePort();
  const endpoint = `http://127.0.0.1:${port}`;
  const child = spawn('moto_server', ['-H', '127.0.0.1', '-p', String(port)], {
    env: { ...process.env, INITIAL_NO_AUTH_ACTION_COUNT: '3' },
    stdio: 'ignore',
  });
  const exit = once(child, 'exit');
  resources.defer(async () => {
    child.kill('SIGTERM');
    await exit;
  });
  const answers = () =>
    fetch(`${endpoint}/moto-api/`).then(
      ({ ok }) => ok,
      () => false,
    );
  await vi.waitUntil(answers, { timeout: 30_000, interval: 200 });

  const folder = resources.use(await temporaryFolder());
  const models = join(folder.path, 'models');
  await cp(join(shippedModelsDir, 'iris'), join(models, 'iris'), { recursive: true });
  const keys = JSON.parse(await run('python3', 'test/deploy/fill_bucket.py', endpoint, models));
  environment = {
    AWS_ENDPOINT_URL_S3: endpoint,
    AWS_REGION: 'eu-west-1',
    AWS_ACCESS_KEY_ID: keys.accessKeyId,
    AWS_SECRET_ACCESS_KEY: keys.secretAccessKey,
  };
}, 120_000);

afterAll(() => resources.disposeAsync());

describe('models from a server that speaks S3', () => {
  it('are served', async () => {
    await using cache = await temporaryFolder();
    const settings = { ...environment, MODELS_URI: 's3://models/prod', MODELS_CACHE_DIR: cache.path };
    await using server = await startReadyServer(settings, undefined, { spawnRunner });
    expect((await postJson(server.address, '/iris/predict', flower)).body).toMatchObject({ species: 'virginica' });
  });

  it('have names with everything', async () => {
    await using cache = await temporaryFolder();
    const { files, warnings } = await fetchModels('s3://models/prod/a & b+c=d', cache.path, environment);
    expect(files).toEqual({ '1/note é.txt': 'a name with everything' });
    expect(warnings).toEqual([]);
  });

  it('are checked also when they were sent in parts', async () => {
    await using cache = await temporaryFolder();
    const patience = createPatience();
    const options = { uri: 's3://models/large', cacheDir: cache.path, s3: readSettings(environment).s3 };
    const models = await RemoteModels.open(options, patience);
    await models.fetch();
    const path = join(models.modelsDir, 'large.bin');
    expect((await stat(path)).size).toBe(12 * 1024 ** 2);
    const sha256 = createHash('sha256')
      .update(await readFile(path))
      .digest('hex');
    const expected = createHash('sha256').update(Buffer.alloc(12 * 1024 ** 2, Buffer.from([...Array(256).keys()])));
    expect(sha256).toBe(expected.digest('hex'));
    expect(patience.warnings).toEqual([]);
  });

  it('are more than one page of a listing', async () => {
    await using cache = await temporaryFolder();
    const { files } = await fetchModels('s3://models/many', cache.path, environment);
    expect(Object.keys(files)).toHaveLength(1100);
    expect(files['1099.txt']).toBe('1099');
  });

  it('are refused with a wrong secret', async () => {
    await using cache = await temporaryFolder();
    const wrong = { ...environment, AWS_SECRET_ACCESS_KEY: 'wrong' };
    await expect(fetchModels('s3://models/prod', cache.path, wrong)).rejects.toThrow(/SignatureDoesNotMatch/);
  });
});
