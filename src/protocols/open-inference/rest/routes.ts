import type { FastifyInstance } from 'fastify';
import { declareScope } from '../../../http/admission/route-scope.ts';
import { fromThrown } from '../../../http/answer/error-handler.ts';
import { answerWhereNoRouteIs } from '../../../http/answer/not-found.ts';
import type { ModelControl } from '../../../models/model-control.ts';
import type { Registry } from '../../../models/registry/registry.ts';
import type { Infer } from '../../../serving/infer.ts';
import type { ReadinessGate } from '../../../serving/readiness.ts';
import type { Statistics } from '../../../serving/statistics.ts';
import { takeAnyBody } from './body.ts';
import { sendError } from './error-body.ts';
import { inferRoutes } from './infer-route.ts';
import { modelRoutes } from './model-routes.ts';
import { repositoryRoutes } from './repository-routes.ts';
import { serverRoutes } from './server-routes.ts';

export interface OpenInferenceOptions {
  readonly registry: Registry;
  readonly infer: Infer;
  readonly readiness: ReadinessGate;
  readonly control: ModelControl;
  readonly statistics: Statistics;
  /** Version of the program. */
  readonly version: string;
  /** Whether requests need an API key. */
  readonly needsKey: boolean;
  /** Whether a load may bring its own files. */
  readonly allowModelUpload: boolean;
}

/** The Open Inference Protocol with Triton's extensions, to be registered under `/v2`. */
export async function openInferenceRoutes(app: FastifyInstance, options: OpenInferenceOptions): Promise<void> {
  // The schemas document. What arrives is checked where it is read.
  app.setValidatorCompiler(() => () => true);
  app.setErrorHandler((thrown, request, reply) => sendError(fromThrown(thrown, request), request, reply));
  answerWhereNoRouteIs(app, sendError);
  declareScope(app, 'infer');
  takeAnyBody(app);

  serverRoutes(app, options);
  modelRoutes(app, options);
  inferRoutes(app, options);
  repositoryRoutes(app, options);
}
