import type { FastifyInstance } from 'fastify';
import { createApp } from './app.ts';
import type { AnyDomain } from './domains/define-domain.ts';
import { systemClock } from './inference/clock.ts';
import type { BatchEvent } from './inference/events.ts';
import { loadModel } from './inference/model.ts';
import { ModelControl } from './models/model-control.ts';
import { conventionalModelsDir } from './models/models-dir.ts';
import { Registry } from './models/registry.ts';
import { scanRepository } from './models/repository.ts';
import { RepositoryWatcher } from './models/watch.ts';
import { startGrpcServer } from './protocols/grpc/grpc-server.ts';
import { createInfer } from './serving/infer.ts';
import { ReadinessGate } from './serving/readiness.ts';
import { Statistics } from './serving/statistics.ts';
import type { Settings } from './settings.ts';
import type { Logger } from './telemetry/logger.ts';

export interface LifespanOptions {
  readonly domains: readonly AnyDomain[];
  readonly log: Logger;
  readonly version: string;
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
  /** Settles when every model of the repository has been loaded, or has failed to. */
  readonly loaded: Promise<void>;
  /** Refuses new work, answers what is in flight, and ends the runners. Calling it again gives the same promise. */
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
  const modelsDir = settings.modelsDir ?? (await conventionalModelsDir());
  const statistics = new Statistics();
  const events = {
    onBatch: (model: string, version: string, batch: BatchEvent) => statistics.recordBatch(model, version, batch),
  };
  const registry = new Registry({
    loadModel: (model) => loadModel(model, { clock: systemClock, log, events }),
    now: () => systemClock.now(),
    log,
  });
  const infer = createInfer({ registry, clock: systemClock, timeoutMs: settings.requestTimeoutMs, statistics });
  const readiness = new ReadinessGate(registry, { needsModel: !settings.sagemakerMultiModel });
  const control = new ModelControl({ modelsDir, modelName, registry });
  const app = await createApp(settings, { registry, infer, readiness, control, statistics, ...options });
  const scan = () => scanRepository(modelsDir, modelName);
  const folders = await scan();
  const address = await app.listen({ host: settings.host, port: settings.port });
  const { host, grpcPort, bodyLimitBytes, allowModelUpload } = settings;
  const grpc =
    grpcPort === undefined
      ? undefined
      : await startGrpcServer(
          { host, port: grpcPort, bodyLimitBytes },
          {
            registry,
            control,
            statistics,
            infer,
            readiness,
            clock: systemClock,
            allowModelUpload,
            log,
            version: options.version,
          },
        );

  let watcher: RepositoryWatcher | undefined;
  let stopping: Promise<void> | undefined;
  const loaded = registry.sync(folders).then(() => {
    readiness.serve();
    const places = grpc === undefined ? address : `${address} and by gRPC at port ${grpc.port}`;
    log.info(startupLine(places, registry, systemClock.now() - startedMs));
    if (!settings.watchModels || stopping !== undefined) return;
    watcher = new RepositoryWatcher({ scan, registry, clock: systemClock, log, intervalMs: watchIntervalMs }, folders);
  });
  const stop = async () => {
    readiness.drain();
    await Promise.all([app.close(), grpc?.stop()]);
    await watcher?.stop();
    await registry.close();
    await control.close();
  };
  return { app, address, grpcPort: grpc?.port, registry, loaded, stop: () => (stopping ??= stop()) };
}

/** One line for people: where the server is, and how each model fared. */
function startupLine(places: string, registry: Registry, totalMs: number): string {
  const models = registry.list().map(({ name, versions, error }) => {
    const [first] = versions;
    if (first?.loadMs === undefined) return `${name} UNAVAILABLE (${error?.message ?? first?.reason ?? 'no version'})`;
    return `${name} v${first.version} (${Math.round(first.loadMs)} ms)`;
  });
  return `inferd serves ${models.join(', ') || 'no model'} at ${places} after ${Math.round(totalMs)} ms`;
}
