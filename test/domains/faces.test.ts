import { cp, mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { defineDomain } from '../../src/domains/define-domain.ts';
import { scanRepository } from '../../src/models/repository/repository.ts';
import { float32 } from '../../src/tensor/tensor.ts';
import { writeTinyClassifier } from '../faces/tiny-texts.ts';
import { shippedModelsDir, temporaryFolder, temporaryRepository } from '../helpers/folder.ts';
import { addIdentityModel } from '../helpers/identity-model.ts';
import { postJson, startReadyServer, type TestServer } from '../helpers/server.ts';

const flower = { sepal_length: 5.1, sepal_width: 3.5, petal_length: 1.4, petal_width: 0.2 };

/** A domain of one's own over a model that takes and gives `x` and `y`. */
const own = (name: string, model = name) =>
  defineDomain({
    name,
    model,
    summary: 'Gives back a number.',
    input: z.strictObject({ number: z.number() }),
    output: z.object({ number: z.number() }),
    examples: [{ number: 1 }],
    encode: (instances) => ({ x: float32([instances.length, 1], instances.map(({ number }) => number)) }), // biome-ignore format: one line
    decode: ({ y }) => [...(y?.data ?? [])].map((number) => ({ number: Number(number) })),
  });

async function get(server: TestServer, path: string) {
  const response = await fetch(new URL(path, server.address));
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
}

async function documentedPaths(server: TestServer): Promise<string[]> {
  const { body } = await get(server, '/openapi.json');
  return Object.keys(body['paths'] as object);
}

const messages = (server: TestServer, pattern: RegExp) =>
  server.logLines.map(({ msg }) => String(msg)).filter((message) => pattern.test(message));

describe('the faces that come along', () => {
  it('are there for the models that are there alone', async () => {
    await using repository = await temporaryRepository('iris');
    await using server = await startReadyServer({ MODELS_DIR: repository.path });
    expect(await postJson(server.address, '/iris/predict', flower)).toMatchObject({ status: 200 });
    for (const path of ['/titanic/predict', '/digits/predict/batch', '/sentiment/predict']) {
      expect(await postJson(server.address, path, {})).toMatchObject({
        status: 404,
        body: { code: 'ROUTE_NOT_FOUND' },
      });
      expect(await get(server, path)).toMatchObject({ status: 404 });
    }
    expect(await get(server, '/iris/predict')).toMatchObject({ status: 405 });

    const paths = await documentedPaths(server);
    expect(paths).toContain('/iris/predict');
    expect(paths.filter((path) => /^\/(titanic|digits|sentiment)\//.test(path))).toEqual([]);
    const { body } = await get(server, '/docs/json');
    expect(Object.keys(body['paths'] as object)).not.toContain('/titanic/predict');

    expect(messages(server, /without routes/)).toEqual([
      'Domains without routes, since their models are missing or do not fit: titanic (there is no model titanic), ' +
        'digits (there is no model digits), sentiment (there is no model sentiment)',
    ]);
    expect(await get(server, '/health/ready')).toMatchObject({ status: 200 });
  });

  it('come and go with their models', async () => {
    await using repository = await temporaryRepository('iris');
    await using server = await startReadyServer({ MODELS_DIR: repository.path });
    await cp(join(shippedModelsDir, 'titanic'), join(repository.path, 'titanic'), { recursive: true });
    await server.registry.sync(await scanRepository(repository.path));
    const passenger = { pclass: 3, sex: 'male' };
    expect(await postJson(server.address, '/titanic/predict', passenger)).toMatchObject({ status: 200 });
    expect(await documentedPaths(server)).toContain('/titanic/predict/batch');
    expect(messages(server, /served now/)).toEqual(['Domains that are served now: titanic']);

    await rm(join(repository.path, 'titanic'), { recursive: true });
    await server.registry.sync(await scanRepository(repository.path));
    expect(await postJson(server.address, '/titanic/predict', passenger)).toMatchObject({ status: 404 });
    expect(await documentedPaths(server)).not.toContain('/titanic/predict');
    expect(messages(server, /without routes/)).toHaveLength(2);
    await server.stop();
    expect(messages(server, /without routes/)).toHaveLength(2);
  });

  it('leave a model of the same name and other inputs its own routes', async () => {
    await using folder = await temporaryFolder();
    await addIdentityModel(folder.path, 'iris', 'FP32');
    await using server = await startReadyServer({ MODELS_DIR: folder.path });
    expect(await postJson(server.address, '/iris/predict', flower)).toMatchObject({ status: 404 });
    const expected = { status: 200, body: { y: [[1, 2]] } };
    expect(await postJson(server.address, '/models/iris/predict', { x: [[1, 2]] })).toMatchObject(expected);
    expect(await postJson(server.address, '/predict', { x: [[1, 2]] })).toMatchObject(expected);
    expect(messages(server, /without routes/)[0]).toContain(
      'iris (its model takes the input x FP32 [-1,-1], which the domain does not give)',
    );
  });

  it('leave a model of the same name that has a face in its files the routes of that', async () => {
    await using folder = await temporaryFolder();
    await writeTinyClassifier(folder.path);
    await rename(join(folder.path, 'mood'), join(folder.path, 'sentiment'));
    await using server = await startReadyServer({ MODELS_DIR: folder.path });
    expect(await postJson(server.address, '/sentiment/predict', { text: 'a good film' })).toMatchObject({
      status: 200,
      body: { label: 'positive', tokens: 5 },
    });
    expect(await postJson(server.address, '/sentiment/predict/batch', { instances: [{ text: 'bad' }] })).toMatchObject({
      body: { predictions: [{ label: 'negative' }] },
    });
    expect(await postJson(server.address, '/predict', { text: 'a good film' })).toMatchObject({ status: 200 });
    expect(await get(server, '/sentiment/predict')).toMatchObject({ status: 405 });
    const { body } = await get(server, '/openapi.json');
    expect(body['paths']).toMatchObject({
      '/sentiment/predict': { post: { summary: 'Which class has this text?' } },
      '/sentiment/hf': {},
    });

    await rm(join(folder.path, 'sentiment'), { recursive: true });
    await server.registry.sync(await scanRepository(folder.path));
    expect(await postJson(server.address, '/sentiment/predict', { text: 'bad' })).toMatchObject({ status: 404 });
    await cp(join(shippedModelsDir, 'sentiment'), join(folder.path, 'sentiment'), { recursive: true });
    await server.registry.sync(await scanRepository(folder.path));
    const { status, body: answer } = await postJson(server.address, '/sentiment/predict', { text: 'a good film' });
    expect({ status, answer }).toMatchObject({ status: 200, answer: expect.not.objectContaining({ tokens: 5 }) });
  });

  it('are no choice for the default model while they are not there', async () => {
    await using repository = await temporaryRepository('iris', 'titanic');
    await using server = await startReadyServer({ MODELS_DIR: repository.path });
    const { status, body } = await postJson(server.address, '/predict', flower);
    expect(status).toBe(404);
    expect((body as { detail: string }).detail).toMatch(/one of: iris, titanic$/);
  });

  it('answer that a model is not ready while it cannot be loaded', async () => {
    await using folder = await temporaryFolder();
    await mkdir(join(folder.path, 'iris/1'), { recursive: true });
    await writeFile(join(folder.path, 'iris/1/model.onnx'), 'broken');
    await using server = await startReadyServer({ MODELS_DIR: folder.path });
    expect(await postJson(server.address, '/iris/predict', flower)).toMatchObject({
      status: 503,
      body: { code: 'MODEL_NOT_READY' },
    });
  });
});

describe('a domain of one’s own', () => {
  it('makes the server not ready while its model is missing', async () => {
    await using repository = await temporaryRepository('iris');
    await using server = await startReadyServer({ MODELS_DIR: repository.path }, [own('echo')]);
    expect(await get(server, '/health/ready')).toMatchObject({
      status: 503,
      body: { ready: false, problems: [{ model: 'echo', reason: 'domain echo: there is no model echo' }] },
    });
    expect(messages(server, /cannot be served/)).toEqual([
      'Domains that cannot be served: echo (there is no model echo)',
    ]);
    expect(await postJson(server.address, '/echo/predict', { number: 1 })).toMatchObject({
      status: 404,
      body: { code: 'MODEL_NOT_FOUND' },
    });
    expect(await documentedPaths(server)).toContain('/echo/predict');

    await addIdentityModel(repository.path, 'echo', 'FP32');
    await server.registry.sync(await scanRepository(repository.path));
    expect(await get(server, '/health/ready')).toMatchObject({ status: 200 });
    expect(await postJson(server.address, '/echo/predict', { number: 1.5 })).toMatchObject({ body: { number: 1.5 } });
  });

  it('says what its model should take and give', async () => {
    await using folder = await temporaryFolder();
    await addIdentityModel(folder.path, 'echo', 'FP32');
    const problemWith = async (signature: NonNullable<ReturnType<typeof own>['signature']>) => {
      await using server = await startReadyServer({ MODELS_DIR: folder.path }, [{ ...own('echo'), signature }]);
      const { body } = await get(server, '/health/ready');
      return (body['problems'] as { reason: string }[]).map(({ reason }) => reason);
    };
    const x = { name: 'x', datatype: 'FP32', shape: [-1, 1] } as const;
    const y = { name: 'y', datatype: 'FP32', shape: [-1, 1] } as const;
    expect(await problemWith({ inputs: [x], outputs: [y] })).toEqual([]);
    expect(await problemWith({ inputs: [{ ...x, shape: [-1] }], outputs: [y] })).toEqual([
      'domain echo: its model takes no input x FP32 [-1], but x FP32 [-1,-1]',
    ]);
    expect(await problemWith({ inputs: [x], outputs: [{ ...y, datatype: 'INT64' }] })).toEqual([
      'domain echo: its model gives no output y INT64 [-1,1], but y FP32 [-1,-1]',
    ]);
  });

  it.each([
    ['v2', /taken by the server itself/],
    ['predict', /taken by the server itself/],
    ['workflows', /taken by the server itself/],
    ['a/b', /no part of a path/],
  ])('may not have the name %j', async (name, reason) => {
    await expect(startReadyServer({}, [own(name)])).rejects.toMatchObject({
      code: 'SETTINGS_INVALID',
      message: expect.stringMatching(reason),
    });
  });

  it('may not have the name of another', async () => {
    await expect(startReadyServer({}, [own('echo'), own('echo', 'iris')])).rejects.toThrow(/two domains/);
  });
});
