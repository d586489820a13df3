import type { FastifyInstance, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { AppError } from '../../errors.ts';
import { maySeeModel } from '../../http/admission/authorization.ts';
import { declareScope } from '../../http/admission/route-scope.ts';
import { predictionHeaders } from '../../http/terms/documented-headers.ts';
import { fitsInMemory } from '../../models/memory.ts';
import type { Registry } from '../../models/registry/registry.ts';
import { readModelFolder } from '../../models/repository/model-folder.ts';
import { readExactJsonBody } from '../exact-json-parser.ts';
import { answerErrors, errorResponses } from './error-body.ts';
import { type InvokeDependencies, invocationSchema, invoke, takeBytes } from './invoke.ts';

export interface MultiModelOptions extends InvokeDependencies {
  readonly registry: Registry;
}

const loadRequest = z.object({ model_name: z.string().min(1), url: z.string().min(1) });
const described = z.object({ modelName: z.string(), modelUrl: z.string() });
const modelParams = z.object({ name: z.string() });

const tags = ['sagemaker'];

/**
 * The calls of a multi-model endpoint, in the place of our own `GET /models`. SageMaker names the folders of the models
 * that it wants, so these routes are there only when `SAGEMAKER_MULTI_MODEL` is set:
 * https://docs.aws.amazon.com/sagemaker/latest/dg/mms-container-apis.html.
 */
export async function multiModelRoutes(app: FastifyInstance, options: MultiModelOptions): Promise<void> {
  const { registry } = options;
  /** Folders by model, of those that were loaded here. */
  const urls = new Map<string, string>();
  app.setValidatorCompiler(() => () => true);
  declareScope(app, 'infer');
  takeBytes(app);
  answerErrors(app);

  app.post('/models', {
    config: { scope: 'admin' },
    schema: {
      tags,
      summary: 'Load a model from a folder',
      body: { content: { 'application/json': { schema: loadRequest } } },
      response: {
        200: described.describe('Loaded'),
        ...errorResponses('VALIDATION_FAILED', 'MODEL_LOAD_FAILED', 'ALREADY_LOADED', 'OUT_OF_MEMORY'),
      },
    },
    handler: async (request) => {
      const { model_name: name, url } = await readLoadRequest(request);
      if (registry.list().some((model) => model.name === name) || urls.has(name))
        throw new AppError('ALREADY_LOADED', { message: `The model ${name} is loaded already` });
      urls.set(name, url);
      try {
        await load(registry, name, url);
      } catch (thrown) {
        urls.delete(name);
        await registry.unload(name);
        throw thrown;
      }
      return { modelName: name, modelUrl: url };
    },
  });

  app.get('/models', {
    config: { filtersModels: true },
    schema: {
      tags,
      summary: 'What is loaded',
      response: { 200: z.object({ models: z.array(described) }).describe('The models that were loaded on request') },
    },
    handler: (request) => {
      const seen = [...urls].filter(([name]) => maySeeModel(request, name));
      return { models: seen.map(([modelName, modelUrl]) => ({ modelName, modelUrl })) };
    },
  });

  app.get<{ Params: { name: string } }>('/models/:name', {
    schema: {
      tags,
      summary: 'Where a model was loaded from',
      params: modelParams,
      response: { 200: described.describe('The model'), ...errorResponses('MODEL_NOT_FOUND') },
    },
    handler: ({ params: { name } }) => ({ modelName: name, modelUrl: urlOf(urls, name) }),
  });

  app.delete<{ Params: { name: string } }>('/models/:name', {
    config: { scope: 'admin' },
    schema: {
      tags,
      summary: 'Unload a model',
      params: modelParams,
      response: { 200: z.object({}).describe('Its memory is free'), ...errorResponses('MODEL_NOT_FOUND') },
    },
    handler: async ({ params: { name } }) => {
      urlOf(urls, name);
      await registry.unload(name);
      urls.delete(name);
      return {};
    },
  });

  app.post<{ Params: { name: string } }>('/models/:name/invoke', {
    schema: {
      tags,
      summary: 'Predict with a model, as /invocations does with the default one',
      params: modelParams,
      headers: predictionHeaders,
      ...invocationSchema,
    },
    handler: (request, reply) => invoke(request, reply, request.params.name, options),
  });
}

async function load(registry: Registry, name: string, url: string): Promise<void> {
  const folder = await readModelFolder(url, name);
  if ('error' in folder) throw folder.error;
  if (!(await fitsInMemory(folder.versions))) {
    throw new AppError('OUT_OF_MEMORY', { message: `There is not enough memory for the model ${name}` });
  }
  const [failure] = await registry.syncModel(folder);
  if (failure !== undefined) throw failure;
}

async function readLoadRequest({ body, server }: FastifyRequest): Promise<z.output<typeof loadRequest>> {
  const bytes = body instanceof Uint8Array ? body : new Uint8Array();
  const json = await readExactJsonBody(bytes, server.bodyLimits.jsonLimitBytes);
  const result = loadRequest.safeParse(json);
  if (result.success) return result.data;
  throw new AppError('VALIDATION_FAILED', { message: 'The body must be an object with the texts model_name and url' });
}

function urlOf(urls: ReadonlyMap<string, string>, name: string): string {
  const url = urls.get(name);
  if (url !== undefined) return url;
  throw new AppError('MODEL_NOT_FOUND', { message: `The model ${name} was not loaded here`, received: name });
}
