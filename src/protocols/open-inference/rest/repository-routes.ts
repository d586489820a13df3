import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { ModelControl } from '../../../models/model-control.ts';
import { parseJson } from '../../../tensor/json/parse-json.ts';
import { slicedFromBytes } from '../../../tensor/sliced-json/read-sliced-json.ts';
import { inTurns } from '../../../timing/turns.ts';
import { sendBareJson } from '../../bare-json.ts';
import { readSlicedExactJson } from '../../exact-json-parser.ts';
import { readUpload } from '../values/load-parameters.ts';
import { bodyOf } from './body.ts';
import { errorResponses } from './error-body.ts';
import { type Fields, readObject, readOptionalBoolean } from './fields.ts';
import { loadParameters } from './load-parameters.ts';
import { readParameters } from './parameters.ts';
import { index, indexRequest, modelParams, repositoryRequest } from './schemas.ts';

const tags = ['open-inference'];

export interface RepositoryRoutesOptions {
  readonly control: ModelControl;
  /** Whether a load may bring its own files. */
  readonly allowModelUpload: boolean;
}

/** `POST /v2/repository/index` and `/v2/repository/models/{name}/load` and `/unload`, for whom bodies are optional. */
export function repositoryRoutes(app: FastifyInstance, { control, allowModelUpload }: RepositoryRoutesOptions): void {
  app.post('/repository/index', {
    config: { scope: 'admin' },
    schema: {
      tags,
      summary: 'What is in the model repository',
      body: { content: { 'application/json': { schema: indexRequest, examples: [{ ready: true }] } } },
      response: { 200: index.describe('A line a version'), ...errorResponses('MALFORMED_JSON', 'MALFORMED_BODY') },
    },
    handler: async (request, reply) => {
      const onlyReady = readOptionalBoolean((await jsonOf(request))['ready'], 'ready') ?? false;
      const entries = await control.index();
      return sendBareJson(reply, onlyReady ? entries.filter(({ state }) => state === 'READY') : entries);
    },
  });

  const route = (action: 'load' | 'unload', summary: string, examples: readonly unknown[]) => ({
    config: { scope: 'admin' as const },
    schema: {
      tags,
      summary,
      params: modelParams,
      body: {
        content: { 'application/json': { schema: repositoryRequest, ...(examples.length > 0 && { examples }) } },
      },
      response: {
        200: { description: `The model is ${action}ed`, type: 'null' },
        ...errorResponses(
          'MALFORMED_JSON',
          'MALFORMED_BODY',
          'MODEL_NOT_FOUND',
          'MODEL_IN_USE',
          'MODEL_LOAD_FAILED',
          'MODEL_UPLOAD_DISABLED',
        ),
      },
    },
  });

  app.post<{ Params: { name: string } }>('/repository/models/:name/load', {
    ...route('load', 'Loads a model, anew if it is loaded', [{}]),
    handler: async (request, reply) => {
      const upload = readUpload(loadParameters(await parametersOf(request)), allowModelUpload);
      await control.load(request.params.name, upload);
      return done(reply);
    },
  });

  app.post<{ Params: { name: string } }>('/repository/models/:name/unload', {
    ...route('unload', 'Unloads a model', []),
    handler: async (request, reply) => {
      const { unload_dependents: asked } = await parametersOf(request);
      const withMembers = readOptionalBoolean(asked, 'parameters.unload_dependents') ?? false;
      await control.unload(request.params.name, { withMembers });
      return done(reply);
    },
  });
}

/** Clients take any status but 200 for an error. */
function done(reply: FastifyReply): FastifyReply {
  return reply.code(200).send();
}

/** Files of an upload are texts in it, and large. */
async function jsonOf(request: FastifyRequest): Promise<Fields> {
  const bytes = bodyOf(request);
  if (bytes.byteLength === 0) return {};
  const isLarge = bytes.byteLength >= slicedFromBytes;
  const json = isLarge ? await inTurns(readSlicedExactJson(bytes, Number.POSITIVE_INFINITY)) : parseJson(bytes);
  return readObject(json, 'the request');
}

async function parametersOf(request: FastifyRequest): Promise<Fields> {
  return readParameters((await jsonOf(request))['parameters'], 'parameters');
}
