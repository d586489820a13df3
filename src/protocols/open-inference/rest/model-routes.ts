import type { FastifyInstance, FastifyReply, RouteShorthandOptions } from 'fastify';
import type { z } from 'zod';
import { maySeeModel } from '../../../http/admission/authorization.ts';
import { fromThrown } from '../../../http/answer/error-handler.ts';
import type { LoadedVersion } from '../../../models/registry/loaded-version.ts';
import type { Registry } from '../../../models/registry/registry.ts';
import type { Statistics } from '../../../serving/statistics.ts';
import { sendBareJson } from '../../bare-json.ts';
import { modelConfig } from '../values/model-config.ts';
import { modelMetadata } from '../values/model-metadata.ts';
import { modelReadiness } from '../values/model-readiness.ts';
import { versionStatistics } from '../values/model-statistics.ts';
import { type ModelSelector, selectVersions } from '../values/select-versions.ts';
import { errorResponses, statusOf } from './error-body.ts';
import { writeModelConfig } from './model-config.ts';
import { writeStatistics } from './model-statistics.ts';
import * as schemas from './schemas.ts';

export interface ModelRoutesOptions {
  readonly registry: Registry;
  readonly statistics: Statistics;
}

type Answer = (selector: ModelSelector, reply: FastifyReply) => unknown;

/** Metadata, readiness, configuration and statistics of models, at `/v2/models/{name}[/versions/{version}]`. */
export function modelRoutes(app: FastifyInstance, { registry, statistics }: ModelRoutesOptions): void {
  const ofModel = (path: string, document: Document, answer: Answer) => {
    for (const [url, params] of [
      [`/models/:name${path}`, schemas.modelParams],
      [`/models/:name/versions/:version${path}`, schemas.versionParams],
    ] as const) {
      app.get<{ Params: ModelSelector }>(url, {
        schema: routeSchema(document, params),
        handler: (request, reply) => answer(request.params, reply),
      });
    }
  };

  ofModel('', { summary: 'Inputs and outputs of a model', response: schemas.modelMetadata }, (selector) =>
    modelMetadata(registry, selector),
  );

  const readyDocument = {
    summary: 'Is a model ready?',
    response: schemas.modelReady,
    others: {
      404: schemas.modelReady.describe('It is not: there is no such model or version'),
      503: schemas.modelReady.describe('It is not, and `error` says why'),
    },
  };
  ofModel('/ready', readyDocument, (selector, reply) => {
    const readiness = modelReadiness(registry, selector);
    const { name } = readiness;
    if (readiness.ready) return { name, ready: true };
    const unknown = readiness.unknown && fromThrown(readiness.unknown, reply.request);
    const status = unknown === undefined ? 503 : statusOf(unknown);
    return sendBareJson(reply.code(status), { name, ready: false, error: unknown?.message ?? readiness.reason });
  });

  ofModel('/config', { summary: 'Configuration of a model', response: schemas.modelConfig }, (selector) =>
    writeModelConfig(modelConfig(registry, selector)),
  );

  const describeLoaded = (versions: readonly LoadedVersion[]) => ({
    model_stats: versionStatistics(versions, statistics).map(writeStatistics),
  });

  ofModel('/stats', { summary: 'What a model has served', response: schemas.modelStatistics }, (selector) =>
    describeLoaded(selectVersions(registry, selector)),
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

interface Document {
  readonly summary: string;
  readonly response: z.ZodType;
  /** Answers of other statuses than 200. @default the errors of an unknown model */
  readonly others?: Readonly<Record<number, object>>;
}

function routeSchema(
  { summary, response, others = errorResponses('MODEL_NOT_FOUND', 'VERSION_NOT_FOUND', 'MODEL_NOT_READY') }: Document,
  params?: z.ZodType,
): NonNullable<RouteShorthandOptions['schema']> {
  return {
    tags: ['open-inference'],
    summary,
    ...(params !== undefined && { params }),
    response: {
      200: response.describe('The answer'),
      ...(params !== undefined && others),
    },
  };
}
