import { setTimeout as delay } from 'node:timers/promises';
import type { FastifyInstance } from 'fastify';
import { openKeyRing } from './access/open-key-ring.ts';
import { createApp, type Role, type Services } from './app.ts';
import { domainWork } from './domains/deferred.ts';
import type { AnyDomain } from './domains/define-domain.ts';
import { TlsFiles } from './http/tls-files.ts';
import { systemClock } from './inference/clock.ts';
import { loadModel } from './inference/model.ts';
import { ModelControl } from './models/model-control.ts';
import { conventionalModelsDir } from './models/models-dir.ts';
import { Registry } from './models/registry.ts';
import type { RemoteModels } from './models/remote/fetch-models.ts';
import { scanRepository } from './models/repository.ts';
import { RepositoryWatcher } from './models/watch.ts';
import {
  countLoads,
  countPredictions,
  engineObserver,
  inferenceMetricsObserver,
  predictionLogObserver,
  whenOnline,
} from './observe.ts';
import type { PredictionLog } from './predictions/prediction-log.ts';
import type { GrpcServer } from './protocols/grpc/grpc-server.ts';
import type { GrpcServices } from './protocols/grpc/services.ts';
import { modelWork } from './protocols/typed/deferred.ts';
import { createInfer, type InferObserver } from './serving/infer.ts';
import { ReadinessGate } from './serving/readiness.ts';
import { Statistics } from './serving/statistics.ts';
import type { Settings } from './settings.ts';
import { Storage } from './storage/storage.ts';
import { TaskService } from './tasks/service.ts';
import type { Logger } from './telemetry/logger.ts';
import { exposeTasks } from './telemetry/metrics/task-metrics.ts';
import { Metrics } from './telemetry/metrics.ts';
import { startOpenTelemetry } from './telemetry/open-telemetry.ts';

export interface LifespanOptions {
  readonly domains: readonly AnyDomain[];
  readonly log: Logger;
  readonly version: string;
  /** @default server */
  readonly role?: Role | undefined;
  /** How many log lines have been given up. @default always 0 */
  readonly droppedLogLines?: () => number;
}

/** How soon a change of the model repository is seen; it is followed at the second look. */
const watchIntervalMs = 1000;

/** A server that listens. */
export interface RunningServer {
  readonly app: FastifyInstance;
  /** Base URL of the server. */
  readonly address: string;
  /** Port of gRPC; undefined when it is off. */
  readonly grpcPort: number | undefined;
  readonly registry: Registry;
  /** Undefined when it is off. */
  readonly storage: Storage | undefined;
  /** Settles when every model of the repository has been loaded, or has failed to. */
  readonly loaded: Promise<void>;
  /**
   * Is not ready any more, goes on for `DRAIN_DELAY_MS`, refuses new work, answers what is in flight, and ends the
   * runners. Calling it again gives the same promise.
   */
  stop(): Promise<void>;
}

/**
 * Starts everything long-lived, outermost last: the server listens at once, and the models load behind it, so that
 * the time they take does not matter to whoever waits for the port.
 */
export async function startServer(settings: Settings, options: LifespanOptions): Promise<RunningServer> {
  const { log } = options;
  const startedMs = systemClock.now();
  const { modelName } = settings;
  const remote = await openRemoteModels(settings, log, (what) => readiness.explainStart(what));
  const modelsDir = remote?.modelsDir ?? settings.modelsDir ?? (await conventionalModelsDir());
  const statistics = new Statistics();
  const metrics = settings.metrics
    ? new Metrics({
        version: options.version,
        scheme: settings.tlsCert === undefined ? 'http' : 'https',
        tritonNames: settings.tritonMetrics,
        models: () => registry.list(),
        ready: () => readiness.check().ready,
        droppedLogLines: options.droppedLogLines ?? (() => 0),
      })
    : undefined;
  const telemetryOptions = { ...settings.openTelemetry, version: options.version };
  const openTelemetry = await startOpenTelemetry(telemetryOptions, metrics);
  const tracing = openTelemetry?.tracing;
  const events = engineObserver({ statistics, metrics, tracing });
  const load = countLoads(loadModel, metrics);
  const registry: Registry = new Registry({
    loadModel: (model) => load(model, { clock: systemClock, log, events }),
    now: () => systemClock.now(),
    log,
  });
  const readiness = new ReadinessGate(registry, {
    needsModel: !settings.sagemakerMultiModel && !settings.allowNoModels,
  });
  const observers: InferObserver[] = [];
  if (metrics !== undefined) observers.push(inferenceMetricsObserver(metrics));
  let lastOnlineMs = Number.NEGATIVE_INFINITY;
  if (settings.storage) {
    observers.push(
      whenOnline(() => {
        lastOnlineMs = systemClock.now();
      }),
    );
  }
  if (settings.logPredictions.share > 0) observers.push(predictionLogObserver({ log, ...settings.logPredictions }));
  const storage = settings.storage ? new Storage(settings, { clock: systemClock, log }) : undefined;
  const predictions = storage && (await openPredictions(settings, storage, log));
  if (metrics !== undefined && predictions !== undefined) countPredictions(metrics, predictions.counts);
  const infer = createInfer({
    registry,
    clock: systemClock,
    timeoutMs: settings.requestTimeoutMs,
    statistics,
    observers,
    recorder: predictions?.recorder,
  });
  const works = [...options.domains.map((domain) => domainWork(domain, infer)), modelWork(infer)];
  const tasks =
    storage &&
    new TaskService(settings.tasks, {
      ...{ storage, works, clock: systemClock, log },
      lastOnlineMs: () => lastOnlineMs,
    });
  if (metrics !== undefined && tasks !== undefined) exposeTasks(metrics.registry, tasks);
  const control = new ModelControl({ modelsDir, modelName, registry });
  const access = await openKeyRing(settings, { clock: systemClock, log });
  const tls = await openTls(settings, log);
  const services = {
    registry,
    infer,
    readiness,
    control,
    statistics,
    metrics,
    tracing,
    keys: access?.keys,
    tasks,
    tls,
    predictions,
    modelsDir,
  };
  const app = await createApp(settings, { ...services, ...options });
  const scan = () => scanRepository(modelsDir, modelName);
  // A folder that cannot be read stops the start; models that are fetched are looked at again when they have come.
  const foldersBefore = await scan();
  const listening = await app.listen({ host: settings.host, port: settings.port });
  // Fastify does not know what its server speaks.
  const address = tls === undefined ? listening : listening.replace('http:', 'https:');
  const { allowModelUpload } = settings;
  const { version } = options;
  const grpcServices = { ...services, limits: app.callerLimits, clock: systemClock, allowModelUpload, log, version };
  const grpc = options.role === 'worker' ? undefined : await startGrpc(settings, grpcServices);

  let watcher: RepositoryWatcher | undefined;
  let stopping: Promise<void> | undefined;
  const loadAll = async () => {
    await remote?.fetch();
    const folders = remote === undefined ? foldersBefore : await scan();
    await registry.sync(folders);
    readiness.serve();
    const places = grpc === undefined ? address : `${address} and by gRPC at port ${grpc.port}`;
    log.info(startupLine(options.role ?? 'server', places, registry, systemClock.now() - startedMs));
    // Not before: its first start takes as much of the processor as that of the models.
    if (stopping !== undefined) return;
    storage?.start();
    tasks?.start();
    predictions?.start();
    if (!settings.watchModels) return;
    watcher = new RepositoryWatcher({ scan, registry, clock: systemClock, log, intervalMs: watchIntervalMs }, folders);
  };
  const loaded = loadAll().catch((thrown: unknown) => {
    if (stopping === undefined) throw thrown;
  });
  const stop = async () => {
    readiness.drain();
    remote?.stop();
    await delay(settings.drainDelayMs);
    await Promise.all([app.close(), grpc?.stop(), tasks?.drain()]);
    access?.close();
    tls?.close();
    await watcher?.stop();
    await registry.close();
    await control.close();
    await tasks?.close();
    await predictions?.close();
    await storage?.close();
    await openTelemetry?.stop();
  };
  return { app, address, grpcPort: grpc?.port, registry, storage, loaded, stop: () => (stopping ??= stop()) };
}

/** Nothing of it is loaded where nothing is kept. */
async function openPredictions(settings: Settings, storage: Storage, log: Logger): Promise<PredictionLog> {
  const { PredictionLog } = await import('./predictions/prediction-log.ts');
  return new PredictionLog(settings.predictions, { storage, clock: systemClock, log });
}

/** What serves by gRPC is only loaded where it is switched on, like all that not everybody needs. */
async function startGrpc(
  { grpcPort, host, bodyLimitBytes }: Settings,
  services: GrpcServices & Pick<Services, 'tls'>,
): Promise<GrpcServer | undefined> {
  if (grpcPort === undefined) return undefined;
  const { startGrpcServer } = await import('./protocols/grpc/grpc-server.ts');
  return startGrpcServer({ host, port: grpcPort, bodyLimitBytes, tls: services.tls?.pair }, services);
}

async function openRemoteModels(
  { modelsUri, modelsCacheDir, s3 }: Settings,
  log: Logger,
  report: (what: string) => void,
): Promise<RemoteModels | undefined> {
  if (modelsUri === undefined) return undefined;
  const { RemoteModels } = await import('./models/remote/fetch-models.ts');
  return RemoteModels.open(
    { uri: modelsUri, cacheDir: modelsCacheDir, s3 },
    { clock: systemClock, random: Math.random, log, report },
  );
}

async function openTls({ tlsCert, tlsKey }: Settings, log: Logger): Promise<TlsFiles | undefined> {
  if (tlsCert === undefined || tlsKey === undefined) return undefined;
  return TlsFiles.open({ certPath: tlsCert, keyPath: tlsKey, clock: systemClock, log });
}

/** One line for people: where the server is, and how each model fared. */
function startupLine(role: Role, places: string, registry: Registry, totalMs: number): string {
  const models = registry.list().map(({ name, versions, error }) => {
    const [first] = versions;
    if (first?.loadMs === undefined) return `${name} UNAVAILABLE (${error?.message ?? first?.reason ?? 'no version'})`;
    return `${name} v${first.version} (${Math.round(first.loadMs)} ms)`;
  });
  const does = role === 'server' ? 'serves' : 'works on tasks of';
  return `inferd ${does} ${models.join(', ') || 'no model'} at ${places} after ${Math.round(totalMs)} ms`;
}
