import type { FastifyInstance, FastifyReply, RouteShorthandOptions } from 'fastify';
import type { z } from 'zod';
import { maySeeModel } from '../../http/admission/authorization.ts';
import type { LoadedVersion } from '../../models/loaded-version.ts';
import type { Registry } from '../../models/registry.ts';
import type { ServedModel } from '../../serving/infer.ts';
import type { Statistics } from '../../serving/statistics.ts';
import type { TensorSpec } from '../../tensor/tensor.ts';
import { errorResponses } from './error-body.ts';
import { modelConfig, platform } from './model-config.ts';
import { describeStatistics } from './model-statistics.ts';
import * as schemas from './schemas.ts';

export interface ModelRoutesOptions {
  readonly registry: Registry;
  readonly statistics: Statistics;
}

interface Params {
  readonly name: string;
  readonly version?: string;
}

type Answer = (params: Params, reply: FastifyReply) => unknown;

/** Metadata, readiness, configuration and statistics of models, at `/v2/models/{name}[/versions/{version}]`. */
export function modelRoutes(app: FastifyInstance, { registry, statistics }: ModelRoutesOptions): void {
  const ofModel = (path: string, document: Document, answer: Answer) => {
    for (const [url, params] of [
      [`/models/:name${path}`, schemas.modelParams],
      [`/models/:name/versions/:version${path}`, schemas.versionParams],
    ] as const) {
      app.get<{ Params: Params }>(url, {
        schema: routeSchema(document, params),
        handler: (request, reply) => answer(request.params, reply),
      });
    }
  };

  ofModel('', { summary: 'Inputs and outputs of a model', response: schemas.modelMetadata }, ({ name, version }) => {
    const { signature } = served(registry, name, version);
    const versions = registry.get(name).versions.filter(({ model }) => model !== undefined);
    return {
      name,
      versions: versions.map((loaded) => loaded.version),
      platform,
      inputs: signature.inputs.map(tensorMetadata),
      outputs: signature.outputs.map(tensorMetadata),
    };
  });

  ofModel('/ready', { summary: 'Is a model ready?', response: schemas.modelReady }, ({ name, version }, reply) => {
    const candidates = versionsOf(registry, name, version);
    if (candidates.some(({ state }) => state === 'READY')) return { name, ready: true };
    const reason = candidates[0]?.reason ?? registry.get(name).error?.message ?? 'it has no version';
    reply.code(503);
    return { name, ready: false, error: `The model ${name} is not ready: ${reason}` };
  });

  ofModel('/config', { summary: 'Configuration of a model', response: schemas.modelConfig }, ({ name, version }) =>
    modelConfig(served(registry, name, version)),
  );

  const describeLoaded = (versions: readonly LoadedVersion[]) => ({
    model_stats: versions
      .filter(({ model }) => model !== undefined)
      .map((loaded) => describeStatistics(loaded, statistics.of(loaded.name, loaded.version))),
  });

  ofModel('/stats', { summary: 'What a model has served', response: schemas.modelStatistics }, ({ name, version }) =>
    describeLoaded(versionsOf(registry, name, version)),
  );

  app.get('/models/stats', {
    config: { filtersModels: true },
    schema: routeSchema({ summary: 'What every model has served', response: schemas.modelStatistics }),
    handler: (request) => {
      const seen = registry.list().filter(({ name }) => maySeeModel(request, name));
      return describeLoaded(seen.flatMap(({ versions }) => versions));
    },
  });
}

function tensorMetadata({ name, datatype, shape }: TensorSpec) {
  return { name, datatype, shape };
}

interface Document {
  readonly summary: string;
  readonly response: z.ZodType;
}

function routeSchema(
  { summary, response }: Document,
  params?: z.ZodType,
): NonNullable<RouteShorthandOptions['schema']> {
  return {
    tags: ['open-inference'],
    summary,
    ...(params !== undefined && { params }),
    response: {
      200: response.describe('The answer'),
      ...(params !== undefined && errorResponses('MODEL_NOT_FOUND', 'VERSION_NOT_FOUND', 'MODEL_NOT_READY')),
    },
  };
}

/** The version asked for, or all of them, the highest first. */
function versionsOf(registry: Registry, name: string, version: string | undefined): readonly LoadedVersion[] {
  return version === undefined ? registry.get(name).versions : [registry.getVersion(name, version)];
}

/** The version that a request would get. */
function served(registry: Registry, name: string, version: string | undefined): ServedModel {
  const lease = registry.acquire(name, version);
  lease.release();
  const { signature, independence } = lease.model;
  return {
    name,
    version: lease.version,
    manifest: lease.manifest,
    signature,
    independentRows: independence.independentRows,
  };
}
