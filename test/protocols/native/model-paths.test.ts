import { cp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { scanRepository } from '../../../src/models/repository/repository.ts';
import { fixtureModelsDir, fixtureRepository } from '../../helpers/folder.ts';
import { postJson, startReadyServer, type TestServer } from '../../helpers/server.ts';

interface Operation {
  readonly summary: string;
  readonly parameters: readonly { readonly name: string; readonly in: string }[];
  readonly requestBody: { content: { 'application/json': { schema: object; example?: unknown } } };
  readonly responses: Record<string, { content: Record<string, { schema: object }> }>;
}

async function paths(server: TestServer, document = '/openapi.json'): Promise<Record<string, { post: Operation }>> {
  const response = await fetch(new URL(document, server.address));
  return ((await response.json()) as { paths: Record<string, { post: Operation }> }).paths;
}

describe('the document', () => {
  it('describes the inputs and outputs of a model', async () => {
    await using repository = await fixtureRepository(['linear', 'strings'], {
      'linear/model.json': JSON.stringify({ description: 'Colours', labels: { scores: ['red', 'green', 'blue'] } }),
    });
    await using server = await startReadyServer({ MODELS_DIR: repository.path }, []);
    const { post } = (await paths(server))['/models/linear/predict'] ?? {};
    expect(post).toMatchObject({ summary: 'Predict with linear, version 1', description: 'Colours' });
    expect(post?.parameters.map(({ name }) => name)).toEqual(
      expect.arrayContaining(['outputs', 'top', 'labels', 'x-request-timeout-ms']),
    );
    expect(post?.parameters.filter((parameter) => parameter.in === 'path')).toEqual([]);
    expect(post?.requestBody.content['application/json']).toMatchObject({
      schema: {
        type: 'object',
        required: ['x'],
        additionalProperties: false,
        properties: {
          x: { type: 'array', items: { type: 'array', minItems: 4, maxItems: 4, items: { type: 'number' } } },
        },
      },
      example: { x: [[0, 0, 0, 0]] },
    });
    expect(Object.keys(post?.responses ?? {})).toEqual(expect.arrayContaining(['200', '400', '404', '422', '503']));
    expect(post?.responses['200']?.content['application/json']?.schema).toMatchObject({
      properties: {
        label: { type: 'array', items: { type: 'integer', format: 'int64' } },
        scores: {
          anyOf: [
            { items: { properties: { red: {}, green: {}, blue: {} } } },
            { items: { items: { properties: { label: { enum: ['red', 'green', 'blue'] }, score: {} } } } },
            { items: { minItems: 3, maxItems: 3 } },
          ],
        },
      },
    });
  });

  it('has the warm-up request of model.json for an example', async () => {
    const warmup = [{ x: { datatype: 'BYTES', shape: [1, 2], data: ['good', 'morning'] } }];
    await using repository = await fixtureRepository(['strings'], { 'strings/model.json': JSON.stringify({ warmup }) });
    await using server = await startReadyServer({ MODELS_DIR: repository.path }, []);
    const { post } = (await paths(server))['/models/strings/predict'] ?? {};
    const example = post?.requestBody.content['application/json'].example;
    expect(example).toEqual({ x: [['good', 'morning']] });
    expect(await postJson(server.address, '/models/strings/predict', example)).toMatchObject({ status: 200 });
  });

  it('follows loads and unloads, in Swagger UI as well', async () => {
    await using repository = await fixtureRepository(['linear']);
    await using server = await startReadyServer({ MODELS_DIR: repository.path }, []);
    const model = (name: string) => `/models/${name}/predict`;
    const documents = ['/openapi.json', '/docs/json'];
    for (const document of documents) {
      expect(Object.keys(await paths(server, document))).toContain(model('linear'));
      expect(Object.keys(await paths(server, document))).not.toContain(model('doubles'));
    }
    await cp(join(fixtureModelsDir, 'doubles.onnx'), join(repository.path, 'doubles.onnx'));
    await rm(join(repository.path, 'linear'), { recursive: true });
    await server.registry.sync(await scanRepository(repository.path));
    for (const document of documents) {
      expect(Object.keys(await paths(server, document))).toContain(model('doubles'));
      expect(Object.keys(await paths(server, document))).not.toContain(model('linear'));
    }
  });

  it('lists each version of a model that has several', async () => {
    await using repository = await fixtureRepository(['linear'], {
      'linear/model.json': JSON.stringify({ versionPolicy: 'all' }),
    });
    await cp(join(fixtureModelsDir, 'linear.onnx'), join(repository.path, 'linear', '2', 'model.onnx'));
    await using server = await startReadyServer({ MODELS_DIR: repository.path }, []);
    const listed = await paths(server);
    expect(listed['/models/linear/predict']?.post.summary).toContain('version 2');
    for (const version of [1, 2]) expect(listed).toHaveProperty([`/models/linear/versions/${version}/predict`]);
  });
});
