import { openKeyRing } from './access/open-key-ring.ts';
import type { Role, Services } from './app.ts';
import { createCaches } from './caches.ts';
import { domainWork } from './domains/deferred.ts';
import type { AnyDomain } from './domains/define-domain.ts';
import { checkDomainNames } from './domains/domain-names.ts';
import { Faces } from './domains/faces.ts';
import { describeFileBy } from './domains/typed-request.ts';
import { defaultPictureThreads, FaceTools } from './faces/face-tools.ts';
import { createOpenFace } from './faces/open-face.ts';
import { faceWork } from './faces/serving/face-work.ts';
import { ModelFaces } from './faces/serving/model-faces.ts';
import { graphDependencies } from './graphs.ts';
import { loadModel } from './inference/model.ts';
import type { SpawnRunner } from './inference/runner/spawn-runner.ts';
import { createAssemble } from './models/assemble.ts';
import { ModelControl } from './models/model-control.ts';
import { Registry } from './models/registry/registry.ts';
import { RemoteRetries } from './models/remote-retries.ts';
import { KeptUploads } from './models/repository/kept-uploads.ts';
import { conventionalModelsDir } from './models/repository/models-dir.ts';
import { scanRepository } from './models/repository/repository.ts';
import {
  cacheEvents,
  countLoads,
  countPredictions,
  countTokens,
  engineObserver,
  graphEvents,
  predictionLogObserver,
  remoteEvents,
  whenOnline,
} from './observe.ts';
import type { PredictionLog } from './predictions/prediction-log.ts';
import { modelWork } from './protocols/native/deferred.ts';
import { ServedCounters } from './served/served-counters.ts';
import { createInfer, type InferObserver } from './serving/infer.ts';
import { ReadinessGate } from './serving/readiness.ts';
import { Statistics } from './serving/statistics.ts';
import { Shadows } from './serving/traffic/shadow.ts';
import type { Settings } from './settings.ts';
import type { RemoteModels } from './sources/fetch-models.ts';
import { Storage } from './storage/storage.ts';
import { TaskService } from './tasks/service.ts';
import type { Logger } from './telemetry/logger.ts';
import { exposeTasks } from './telemetry/metrics/task-metrics.ts';
import { Metrics } from './telemetry/metrics.ts';
import { startOpenTelemetry } from './telemetry/open-telemetry.ts';
import { systemClock } from './timing/clock.ts';
import { TrafficFollower } from './traffic/follower.ts';
import { TrafficService } from './traffic/service.ts';
import { SplitModels, type SplitModelsDependencies } from './traffic/split-models.ts';
import { BodyBudget } from './transport/body-budget.ts';
import { ConnectionBound, connectionsThatFit } from './transport/connection-bound.ts';
import { TlsFiles } from './transport/tls-files.ts';

export interface ServiceOptions {
  readonly domains: readonly AnyDomain[];
  readonly log: Logger;
  readonly version: string;
  /** @default server */
  readonly role?: Role | undefined;
  /** How many log lines have been given up. @default always 0 */
  readonly droppedLogLines?: () => number;
  /** Starts the runners of the models. @default processes */
  readonly spawnRunner?: SpawnRunner | undefined;
}

/** What the routes work with, and what is started behind them. */
export interface StartableServices extends Services {
  /** Undefined when the models are in a folder. */
  readonly remote: RemoteModels | undefined;
  /** Undefined without a storage. */
  readonly trafficFollower: TrafficFollower | undefined;
  /** Undefined when it is off. */
  readonly storage: Storage | undefined;
}

/**
 * Makes everything that is long-lived, each with what it needs of the others. Nothing is loaded or opened yet but files.
 *
 * @param stack ends what was made, also where a later part fails
 * @throws AppError `SETTINGS_INVALID` for files that cannot be used, `DOMAIN_INVALID`
 */
export async function createServices(
  settings: Settings,
  options: ServiceOptions,
  stack: AsyncDisposableStack,
): Promise<StartableServices> {
  const { log, version } = options;
  checkDomainNames(options.domains);
  const remote = await openRemoteModels(settings, log);
  const modelsDir = remote?.modelsDir ?? settings.modelsDir ?? (await conventionalModelsDir());
  const served = new ServedCounters();
  const metrics = settings.metrics
    ? new Metrics({
        served,
        version,
        scheme: settings.tlsCert === undefined ? 'http' : 'https',
        tritonNames: settings.tritonMetrics,
        droppedLogLines: options.droppedLogLines ?? (() => 0),
      })
    : undefined;
  const openTelemetry = await startOpenTelemetry({ ...settings.openTelemetry, version }, metrics);
  stack.defer(() => openTelemetry?.stop());
  const storage = settings.storage ? new Storage(settings, { clock: systemClock, log }) : undefined;
  stack.defer(() => storage?.close());
  const named = (name: string) => faces.named(name);
  const predictions = storage && (await openPredictions(settings, { storage, log, named }));
  stack.defer(() => predictions?.close());

  const tracing = openTelemetry?.tracing;
  const events = engineObserver({ served, tracing });
  const uploads = stack.use(new KeptUploads());
  const tools = stack.use(new FaceTools({ log, pictureThreads: settings.pictureThreads ?? defaultPictureThreads() }));
  if (metrics !== undefined) countTokens(metrics, tools.counters);
  const openFace = settings.faces ? createOpenFace({ tools, clock: systemClock, log }) : undefined;
  const assemble = createAssemble({
    openFace,
    allowCodeModels: settings.allowCodeModels,
    loadModel: (model, signal, spawn = options.spawnRunner) =>
      loadModel(
        { maxOutputBytes: settings.outputLimitBytes, ...model },
        { clock: systemClock, log, events, signal, spawn },
      ),
    openCache: createCaches(
      { ...settings.cache, redisUrl: settings.redisUrl, clock: systemClock, log, eventsOf: cacheEvents(served) },
      stack,
    ),
    graphs: graphDependencies({ counters: served, clock: systemClock, eventsOf: graphEvents({ served, tracing }) }),
    remotes: {
      secrets: settings.remoteSecrets,
      maxOutputBytes: settings.outputLimitBytes,
      clock: systemClock,
      log,
      events,
      eventsOf: remoteEvents(served),
    },
    log,
  });
  const registry = new Registry({
    assemble: countLoads(assemble, served),
    now: () => systemClock.now(),
    log,
  });
  stack.defer(() => registry.close());
  stack.use(new RemoteRetries({ registry, clock: systemClock, log }));
  const modelFaces = new ModelFaces(registry, (name) => faces.hasOwn(name));
  const faces: Faces = new Faces(options.domains, { models: registry, log, found: () => modelFaces.domains() });
  registry.onChange(() => faces.modelsChanged());
  served.follow(() => registry.list());
  registry.onChange(() => served.forgetGone());
  const readiness = new ReadinessGate(registry, {
    needsModel: !settings.sagemakerMultiModel && !settings.allowNoModels,
    otherProblems: () => faces.problems(),
  });
  metrics?.observe({ models: () => registry.list(), ready: () => readiness.check().ready });
  const online = new LastOnline();
  const shadows = new Shadows(
    { maxInFlight: settings.shadowMaxInFlight, timeoutMs: settings.requestTimeoutMs },
    {
      registry,
      clock: systemClock,
      counters: served,
      isDraining: () => readiness.draining,
      recorder: predictions?.recorder,
    },
  );
  stack.defer(() => shadows.close());
  const infer = createInfer({
    answerLimitBytes: settings.answerLimitBytes,
    registry,
    clock: systemClock,
    timeoutMs: settings.requestTimeoutMs,
    counters: served,
    observers: inferObservers(settings, { log, online: storage && online }),
    recorder: predictions?.recorder,
    shadows,
  });
  const works = [
    ...options.domains.map((domain) => domainWork(domain, infer)),
    modelWork(infer),
    faceWork(modelFaces, infer),
  ];
  const tasks =
    storage &&
    new TaskService(settings.tasks, { storage, works, clock: systemClock, log, lastOnlineMs: () => online.atMs });
  stack.defer(() => tasks?.close());
  if (metrics !== undefined && predictions !== undefined) countPredictions(metrics, predictions.counts);
  if (metrics !== undefined && tasks !== undefined) exposeTasks(metrics.registry, tasks);
  const traffic = makeTraffic({
    registry,
    scan: (options) =>
      scanRepository(modelsDir, { ...options, ownName: settings.modelName, ownedByServer: remote !== undefined }),
    storage,
    log,
  });
  stack.defer(() => traffic.follower?.close());
  const access = await openKeyRing(settings, { clock: systemClock, log });
  stack.defer(() => access?.close());
  const tls = await openTls(settings, log);
  stack.defer(() => tls?.close());
  return {
    ...options,
    faces,
    modelFaces,
    registry,
    infer,
    connections: new ConnectionBound(settings.maxConnections ?? connectionsThatFit()),
    bodies: new BodyBudget(settings.bodiesLimitBytes),
    readiness,
    control: new ModelControl({
      modelsDir,
      modelName: settings.modelName,
      registry,
      ownedByServer: remote !== undefined,
      uploads,
    }),
    statistics: new Statistics(served),
    metrics,
    tracing,
    keys: access?.keys,
    tls,
    storage,
    predictions,
    tasks,
    traffic: traffic.service,
    trafficFollower: traffic.follower,
    modelsDir,
    remote,
  };
}

/** Splits of the traffic that are stored, and what follows them. */
function makeTraffic({
  storage,
  ...dependencies
}: Omit<SplitModelsDependencies, 'clock'> & { storage: Storage | undefined }) {
  const clock = systemClock;
  const models = new SplitModels({ ...dependencies, clock });
  const follower = storage && new TrafficFollower({ storage, models, clock, log: dependencies.log });
  const kept = storage && follower && { storage, follower };
  return { service: new TrafficService(models, kept), follower };
}

/** When a client last waited for a prediction: the background makes room then. */
class LastOnline {
  atMs = Number.NEGATIVE_INFINITY;
  readonly observer = whenOnline(() => {
    this.atMs = systemClock.now();
  });
}

interface Watching {
  readonly log: Logger;
  /** Undefined where nothing runs in the background. */
  readonly online: LastOnline | undefined;
}

function inferObservers({ logPredictions }: Settings, { log, online }: Watching): InferObserver[] {
  const observers: InferObserver[] = [];
  if (online !== undefined) observers.push(online.observer);
  if (logPredictions.share > 0) observers.push(predictionLogObserver({ log, ...logPredictions }));
  return observers;
}

/** Nothing of it is loaded where nothing is kept. */
async function openPredictions(
  settings: Settings,
  { storage, log, named }: { storage: Storage; log: Logger; named: (domain: string) => AnyDomain | undefined },
): Promise<PredictionLog> {
  const { PredictionLog } = await import('./predictions/prediction-log.ts');
  return new PredictionLog(settings.predictions, {
    storage,
    clock: systemClock,
    log,
    describeFile: describeFileBy(named),
  });
}

async function openRemoteModels(
  { modelsUri, modelsCacheDir, s3 }: Settings,
  log: Logger,
): Promise<RemoteModels | undefined> {
  if (modelsUri === undefined) return undefined;
  const { RemoteModels } = await import('./sources/fetch-models.ts');
  return RemoteModels.open(
    { uri: modelsUri, cacheDir: modelsCacheDir, s3 },
    { clock: systemClock, random: Math.random, log },
  );
}

async function openTls({ tlsCert, tlsKey }: Settings, log: Logger): Promise<TlsFiles | undefined> {
  if (tlsCert === undefined || tlsKey === undefined) return undefined;
  return TlsFiles.open({ certPath: tlsCert, keyPath: tlsKey, clock: systemClock, log });
}
