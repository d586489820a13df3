import { type FastifyBaseLogger, type FastifyInstance, fastify, LogController } from 'fastify';
import type { Caller } from './access/caller.ts';
import type { KeyRing } from './access/key-ring.ts';
import { domainConstraint } from './domains/domain-constraint.ts';
import type { Faces } from './domains/faces.ts';
import { domainRoutes } from './domains/routes.ts';
import { withFacePaths } from './faces/serving/face-paths.ts';
import type { ModelFaces } from './faces/serving/model-faces.ts';
import { faceMethodsOf, faceRoutes } from './faces/serving/routes.ts';
import { admitCallers } from './http/admission/admission.ts';
import { maySeeModel } from './http/admission/authorization.ts';
import { allowOrigins } from './http/answer/cross-origin.ts';
import { setErrorHandler } from './http/answer/error-handler.ts';
import { answerUnknownRoutes } from './http/answer/not-found.ts';
import { secureAnswers } from './http/answer/secure-headers.ts';
import { zodSerializerCompiler, zodValidatorCompiler } from './http/answer/zod-compilers.ts';
import { boundBodies } from './http/body/bound-bodies.ts';
import { ignoreTypeOfNoBody } from './http/body/empty-bodies.ts';
import { parseJsonBodies } from './http/body/json-parser.ts';
import { clientErrorHandler } from './http/connection/client-error.ts';
import { cutUploadsAtStop, endConnectionsWhileDraining } from './http/connection/drain.ts';
import { refuseMalformedHost } from './http/connection/host-header.ts';
import { routableTarget } from './http/connection/request-target.ts';
import { serverFactory } from './http/connection/server-factory.ts';
import { trustedProxies } from './http/connection/trusted-proxies.ts';
import { logAccess } from './http/observation/access-log.ts';
import { measureRequests } from './http/observation/measure-requests.ts';
import { traceRequests } from './http/observation/trace-requests.ts';
import {
  type DefaultChoice,
  defaultPredictionRoute,
  rewriteDefaultPrediction,
} from './http/routes/default-prediction.ts';
import { healthRoutes } from './http/routes/health.ts';
import { metricsRoute } from './http/routes/metrics.ts';
import { modelCacheRoute } from './http/routes/model-cache.ts';
import { modelGraphRoute } from './http/routes/model-graph.ts';
import { modelRoutes } from './http/routes/models.ts';
import { documentRoutes, type Paths } from './http/routes/openapi.ts';
import { requestId } from './http/terms/request-id.ts';
import type { ModelControl } from './models/model-control.ts';
import type { Registry } from './models/registry/registry.ts';
import type { PredictionLog } from './predictions/prediction-log.ts';
import { rerankRoutes } from './protocols/cohere/rerank.ts';
import { huggingFaceRoutes } from './protocols/hugging-face/routes.ts';
import { modelPaths } from './protocols/native/model-paths.ts';
import { nativeRoutes } from './protocols/native/routes.ts';
import { nativeTaskRoutes } from './protocols/native/task-routes.ts';
import { readOpenInferenceInvocation } from './protocols/open-inference/rest/infer/invocation.ts';
import { openInferenceRoutes } from './protocols/open-inference/rest/routes.ts';
import { embeddingRoutes } from './protocols/openai/embeddings.ts';
import { multiModelRoutes } from './protocols/sagemaker/multi-model.ts';
import { sageMakerRoutes } from './protocols/sagemaker/routes.ts';
import { startRoute } from './protocols/start/routes.ts';
import { teiRoutes } from './protocols/tei/routes.ts';
import { v1Routes } from './protocols/v1/routes.ts';
import { rewriteVertexRoute } from './protocols/vertex/rewrite.ts';
import type { Infer } from './serving/infer.ts';
import type { ReadinessGate } from './serving/readiness.ts';
import { refuseStranger } from './serving/refuse-stranger.ts';
import type { Statistics } from './serving/statistics.ts';
import type { Settings } from './settings.ts';
import { taskRoutes } from './tasks/routes.ts';
import type { TaskService } from './tasks/service.ts';
import { createTaskSubmitter } from './tasks/submitter.ts';
import type { Logger } from './telemetry/logger.ts';
import type { Metrics } from './telemetry/metrics.ts';
import type { Tracing } from './telemetry/tracing.ts';
import { trafficRoutes } from './traffic/routes.ts';
import type { TrafficService } from './traffic/service.ts';
import type { BodyBudget } from './transport/body-budget.ts';
import type { ConnectionBound } from './transport/connection-bound.ts';
import type { TlsFiles } from './transport/tls-files.ts';

/** What a process is for: to serve everything, or to work on background tasks and answer for its health alone. */
export type Role = 'server' | 'worker';

/** Everything that the routes work with. */
export interface Services {
  readonly registry: Registry;
  readonly infer: Infer;
  readonly readiness: ReadinessGate;
  readonly control: ModelControl;
  /** How many connections there may be, of all protocols. */
  readonly connections: ConnectionBound;
  /** What the bodies of all requests may take. */
  readonly bodies: BodyBudget;
  readonly statistics: Statistics;
  /** Undefined when nothing is measured. */
  readonly metrics: Metrics | undefined;
  /** Undefined when nothing is traced. */
  readonly tracing: Tracing | undefined;
  readonly faces: Faces;
  /** The faces that were found in the files of models. */
  readonly modelFaces: ModelFaces;
  readonly log: Logger;
  /** Undefined when nothing is kept. */
  readonly predictions: PredictionLog | undefined;
  /** Folder of the model repository. */
  readonly modelsDir: string;
  /** Undefined: every caller may do everything. */
  readonly keys: KeyRing | undefined;
  /** Undefined without a storage. */
  readonly tasks: TaskService | undefined;
  readonly traffic: TrafficService;
  /** Undefined: plain HTTP. */
  readonly tls: TlsFiles | undefined;
  /** Version of the program, for the documentation. */
  readonly version: string;
  /** @default server */
  readonly role?: Role | undefined;
}

/**
 * Puts the HTTP side together. The instance does not listen, and closing it closes none of the services.
 *
 * @param stack closes the instance, also where it cannot be completed
 */
export async function createApp(
  settings: Settings,
  services: Services,
  stack: Pick<AsyncDisposableStack, 'defer'>,
): Promise<FastifyInstance> {
  const { registry, infer, readiness, metrics, faces, modelFaces, log, keys, tasks, tls, predictions, version } =
    services;
  const { bodyLimitBytes, maxHeaderBytes, uploadTimeoutMs, trustProxy, docsPublic } = settings;
  const needsKey = keys !== undefined;
  const choice: DefaultChoice = {
    defaultModel: settings.defaultModel,
    registry,
    get domains() {
      return faces.served();
    },
  };
  const hasFace = (path: string) => faceMethodsOf(modelFaces, path).length > 0;
  const mayAsk = (caller: Caller | undefined, model: string) => {
    const served = registry.find(model)?.served;
    if (served !== undefined) refuseStranger(caller, served);
  };
  const desk = tasks === undefined ? undefined : createTaskSubmitter(tasks, settings.tasks.webhooks, mayAsk);
  const { tableLimitCells } = settings;
  const invoke = { infer, openInference: readOpenInferenceInvocation, tableLimitCells };

  const app = fastify({
    loggerInstance: quieter(log),
    // A child logger for each request would cost more than its one line; what we log names the request itself.
    childLoggerFactory: (logger) => logger,
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit: bodyLimitBytes,
    genReqId: requestId,
    clientErrorHandler: clientErrorHandler({ log, maxHeaderBytes }),
    serverFactory: serverFactory(
      {
        maxHeaderBytes,
        headersTimeoutMs: settings.headersTimeoutMs,
        uploadTimeoutMs,
        keepAliveTimeoutMs: settings.keepAliveTimeoutMs,
        answerStallTimeoutMs: settings.answerStallTimeoutMs,
        trustProxy,
      },
      tls,
      services.connections,
    ),
    trustProxy: trustedProxies(trustProxy),
    forceCloseConnections: 'idle',
    // A request has no longer ones. Names that there cannot be are for the routes to refuse.
    routerOptions: { maxParamLength: maxHeaderBytes },
    // What arrives on a connection while the server closes is answered like what was in flight before.
    return503OnClosing: false,
    rewriteUrl: ({ method, url: target = '/' }) => {
      const url = routableTarget(target);
      return rewriteVertexRoute(settings.vertex, { method, url }) ?? rewriteDefaultPrediction(choice, url);
    },
  });
  stack.defer(() => app.close());
  app.addConstraintStrategy(domainConstraint((path) => faces.find(path)?.optional === true && hasFace(path)));
  app.setValidatorCompiler(zodValidatorCompiler);
  app.setSerializerCompiler(zodSerializerCompiler);
  const { jsonLimitBytes, compressionRatioLimit } = settings;
  boundBodies(app, { jsonLimitBytes, compressionRatioLimit }, services.bodies);
  parseJsonBodies(app);
  ignoreTypeOfNoBody(app);
  setErrorHandler(app);
  // The route that CORS adds for every path is none that clients should be told of.
  await allowOrigins(app, settings.corsOrigins);
  answerUnknownRoutes(
    app,
    { maxHeaderBytes },
    { isHidden: (path) => faces.hides(path) && !hasFace(path), methodsOf: (path) => faceMethodsOf(modelFaces, path) },
  );
  measureRequests(app, metrics);
  traceRequests(app, services.tracing);
  logAccess(app, log);
  secureAnswers(app, { overTls: tls !== undefined });
  refuseMalformedHost(app);
  endConnectionsWhileDraining(app, readiness);
  cutUploadsAtStop(app, uploadTimeoutMs);
  const { rateLimitPerMinute, maxConcurrentPerCaller, redisUrl } = settings;
  const admission = { keys, docsPublic, rateLimitPerMinute, maxConcurrentPerCaller, redisUrl, log };
  app.decorate('callerLimits', await admitCallers(app, admission));
  await documentRoutes(app, {
    version,
    needsKey,
    currentPaths: (documented, request) => {
      const maySee = (model: string) => maySeeModel(request, model);
      const found = modelFaces.served().filter(({ domain }) => maySee(domain.model));
      const kinds = new Set(found.map(({ kind }) => kind));
      const own = withFacePaths(withoutKinds(servedPaths(faces, documented, maySee), kinds), found);
      return { ...own, ...modelPaths(registry, documented, maySee) };
    },
  });

  app.register(healthRoutes, { readiness, needsKey });
  if (metrics !== undefined) app.register(metricsRoute, { metrics });
  if (services.role === 'worker') return app;
  if (settings.sagemakerMultiModel) app.register(multiModelRoutes, { registry, ...invoke });
  else app.register(modelRoutes, { registry });
  app.register(modelGraphRoute, { registry });
  app.register(modelCacheRoute, { registry });
  app.register(async (routes) => trafficRoutes(routes, { traffic: services.traffic }));
  app.register(nativeRoutes, { infer });
  if (predictions !== undefined) await registerPredictionRoutes(app, predictions, services);
  app.register(startRoute, { registry, domains: () => faces.served(), version, needsKey, docsPublic });
  app.register(v1Routes, { prefix: '/v1', registry, infer });
  app.register(sageMakerRoutes, { ...invoke, choice, readiness, version, bodyLimitBytes });
  for (const domain of faces.domains) {
    app.register(domainRoutes, { prefix: `/${domain.name}`, domain, faces, infer, bodyLimitBytes, desk });
  }
  app.register(embeddingRoutes, { faces: modelFaces, infer });
  app.register(huggingFaceRoutes, { faces: modelFaces, infer });
  if (settings.teiRoutes) app.register(teiRoutes, { faces: modelFaces, infer });
  app.register(rerankRoutes, { faces: modelFaces, infer });
  app.register(faceRoutes, { faces: modelFaces, infer, bodyLimitBytes, desk });
  app.register(openInferenceRoutes, {
    prefix: '/v2',
    registry,
    infer,
    readiness,
    control: services.control,
    statistics: services.statistics,
    version,
    needsKey,
    allowModelUpload: settings.allowModelUpload,
  });
  if (desk !== undefined) app.register(nativeTaskRoutes, { desk, registry });
  if (tasks !== undefined) app.register(async (routes) => taskRoutes(routes, { tasks }));
  app.register(defaultPredictionRoute, choice);
  return app;
}

/** Nothing of them is loaded where nothing is kept. */
async function registerPredictionRoutes(app: FastifyInstance, log: PredictionLog, services: Services): Promise<void> {
  const { PredictionService } = await import('./predictions/service.ts');
  const { predictionRoutes } = await import('./predictions/routes.ts');
  const { performanceRoute } = await import('./predictions/performance/routes.ts');
  const { trafficResultsRoute } = await import('./traffic/results-routes.ts');
  const { registry, modelsDir, faces } = services;
  const predictions = new PredictionService(log);
  // Domains that are found in files come and go.
  const targets = { get: (name: string) => faces.named(name)?.target };
  app.register(predictionRoutes, { predictions });
  app.register(performanceRoute, { predictions, registry, modelsDir, targets });
  app.register(trafficResultsRoute, { predictions, registry, targets });
}

/** Routes that are there only while a model has a face of their kind. */
const pathsOfKinds: Readonly<Record<string, string>> = {
  '/v1/embeddings': 'embedding',
  '/v1/rerank': 'reranking',
  '/v2/rerank': 'reranking',
};

function withoutKinds(documented: Paths, kinds: ReadonlySet<string>): Paths {
  const isShown = (path: string) => pathsOfKinds[path] === undefined || kinds.has(pathsOfKinds[path]);
  return Object.fromEntries(Object.entries(documented).filter(([path]) => isShown(path)));
}

function servedPaths(faces: Faces, documented: Paths, maySee: (model: string) => boolean): Paths {
  const isShown = (path: string) => {
    const face = faces.find(path);
    return face === undefined || (faces.hiddenBecause(face) === undefined && maySee(face.model));
  };
  return Object.fromEntries(Object.entries(documented).filter(([path]) => isShown(path)));
}

/** Fastify's own events from `warn` upwards: the lines about listening and requests are ours. */
function quieter(log: Logger): FastifyBaseLogger {
  return log.isLevelEnabled('info') ? log.child({}, { level: 'warn' }) : log;
}
