import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startReadyServer, type TestServer } from '../helpers/server.ts';

interface Media {
  readonly example?: unknown;
  readonly examples?: Record<string, { readonly value: unknown }>;
}

interface Operation {
  readonly tags?: readonly string[];
  readonly parameters?: readonly { readonly name: string }[];
  readonly requestBody?: { readonly content: Record<string, Media> };
  readonly responses: Record<string, { readonly description?: string }>;
}

interface OpenApi {
  readonly openapi: string;
  readonly paths: Record<string, Record<string, Operation>>;
}

let server: TestServer;
let document: OpenApi;

beforeAll(async () => {
  server = await startReadyServer({ DEFAULT_MODEL: 'iris' });
  const response = await fetch(new URL('/openapi.json', server.address));
  document = (await response.json()) as OpenApi;
});

afterAll(() => server.stop());

const operations = () =>
  Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ path, method, operation })),
  );

/** The URL of a documented path, with the model that the examples are for. */
const urlOf = (path: string) =>
  new URL(path.replace('{name}', 'iris').replace('{version}', '1').replace('{label}', 'stable'), server.address);

const examplesOf = ({ example, examples = {} }: Media) => [
  ...(example === undefined ? [] : [example]),
  ...Object.values(examples).map(({ value }) => value),
];

describe('the OpenAPI document', () => {
  it('is of version 3.1 and tags every operation', () => {
    expect(document.openapi).toBe('3.1.0');
    for (const { operation } of operations()) expect(operation.tags).toHaveLength(1);
  });

  it('has every route of the shipped domains, of models and of health', () => {
    expect(Object.keys(document.paths)).toEqual(
      expect.arrayContaining([
        ...['iris', 'titanic', 'digits', 'sentiment'].flatMap((name) => [`/${name}/predict`, `/${name}/predict/batch`]),
        '/predict',
        '/models',
        '/models/{name}',
        '/models/{name}/versions/{version}',
        '/models/{name}/predict',
        '/models/{name}/versions/{version}/predict',
        ...['iris', 'titanic', 'digits', 'sentiment'].map((name) => `/models/${name}/predict`),
        '/health/live',
        '/health/ready',
      ]),
    );
  });

  it('documents numbers of a query as numbers, with their defaults', () => {
    const { parameters } = document.paths['/models/{name}/predict']?.['post'] ?? {};
    const top = parameters?.find(({ name }) => name === 'top');
    expect(top).toMatchObject({ in: 'query', required: false, schema: { type: 'integer', minimum: 1 } });
  });

  it('has what its references name', () => {
    const text = JSON.stringify(document);
    for (const [, pointer = ''] of text.matchAll(/"\$ref":"#([^"]*)"/g)) {
      const found = pointer
        .split('/')
        .slice(1)
        .reduce<unknown>((place, key) => Object(place)[key], document);
      expect(found, pointer).toBeDefined();
    }
  });

  it('documents the errors of every prediction', () => {
    for (const { path, operation } of operations().filter(({ path }) => path.includes('/predict/batch'))) {
      expect(Object.keys(operation.responses), path).toEqual(
        expect.arrayContaining(['200', '400', '404', '413', '415', '422', '500', '503', '504']),
      );
    }
  });

  it('has JSON examples for every domain, all of which succeed', async () => {
    const bodies = operations().flatMap(({ path, method, operation }) => {
      const media = operation.requestBody?.content['application/json'];
      return media === undefined ? [] : examplesOf(media).map((body) => ({ path, method, body }));
    });
    expect(new Set(bodies.map(({ path }) => path)).size).toBeGreaterThanOrEqual(8);

    for (const { path, method, body } of bodies) {
      const response = await fetch(urlOf(path), {
        method,
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(body),
      });
      expect(response.status, `${path} ${JSON.stringify(body).slice(0, 100)}`).toBe(200);
    }
  });

  it('answers every documented GET with what it documents', async () => {
    const gets = operations().filter(({ method }) => method === 'get');
    for (const { path, operation } of gets) {
      const response = await fetch(urlOf(path));
      // No shipped model is made of others, and nothing is kept here.
      const failing = path.endsWith('/graph') ? 404 : path.endsWith('/traffic/events') ? 503 : undefined;
      expect(response.status, path).toBe(failing ?? 200);
      expect(Object.keys(operation.responses)).toContain(String(response.status));
      expect(Object.keys(operation.responses)).toContain('200');
    }
  });
});

describe('Swagger UI', () => {
  it('is served at /docs', async () => {
    const response = await fetch(new URL('/docs', server.address));
    expect(response.status).toBe(200);
    expect(await response.text()).toContain('swagger-ui');
  });
});
