import { setTimeout as delay } from 'node:timers/promises';
import { createApp, type Role, type Services } from './app.ts';
import { systemClock } from './inference/clock.ts';
import { sweepPrivateFolders } from './models/files/private-folder.ts';
import { IgnoredFolders } from './models/ignored-folders.ts';
import type { Registry } from './models/registry.ts';
import { scanRepository } from './models/repository.ts';
import { RepositoryWatcher } from './models/watch.ts';
import type { GrpcServer } from './protocols/open-inference/grpc/grpc-server.ts';
import type { GrpcServices } from './protocols/open-inference/grpc/services.ts';
import type { RunningServer } from './running-server.ts';
import { createServices, type ServiceOptions } from './services.ts';
import type { Settings } from './settings.ts';
import type { Storage } from './storage/storage.ts';

/** How soon a change of the model repository is seen; it is followed at the second look. */
const watchIntervalMs = 1000;

/** A server that listens, with what its parts are for tests and tools. */
export interface StartedServer extends RunningServer {
  readonly registry: Registry;
  /** Undefined when it is off. */
  readonly storage: Storage | undefined;
}

/**
 * Starts everything long-lived, outermost last: the server listens at once, and the models load behind it, so that
 * the time they take does not matter to whoever waits for the port.
 */
export async function startServer(settings: Settings, options: ServiceOptions): Promise<StartedServer> {
  const { log } = options;
  const startedMs = systemClock.now();
  const services = await createServices(settings, options);
  const { access, control, modelsDir, openTelemetry, predictions, readiness, registry, remote, storage, tasks, tls } =
    services;
  const app = await createApp(settings, services);
  const ignored = new IgnoredFolders(log);
  const onIgnored = (names: readonly string[]) => ignored.report(names);
  const scan = () =>
    scanRepository(modelsDir, { ownName: settings.modelName, ownedByServer: remote !== undefined, onIgnored });
  // A folder that cannot be read stops the start; models that are fetched are looked at again when they have come.
  const foldersBefore = await scan();
  const listening = await app.listen({ host: settings.host, port: settings.port });
  // Fastify does not know what its server speaks.
  const address = tls === undefined ? listening : listening.replace('http:', 'https:');
  const { allowModelUpload } = settings;
  const grpcServices = { ...services, limits: app.callerLimits, clock: systemClock, allowModelUpload };
  const grpc = options.role === 'worker' ? undefined : await startGrpc(settings, grpcServices);

  let watcher: RepositoryWatcher | undefined;
  let stopping: Promise<void> | undefined;
  const loadAll = async () => {
    await sweepPrivateFolders();
    await remote?.fetch();
    const folders = remote === undefined ? foldersBefore : await scan();
    await registry.sync(folders);
    readiness.serve();
    if (options.role !== 'worker') services.faces.report();
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

/** What serves by gRPC is only loaded where it is switched on, like all that not everybody needs. */
async function startGrpc(
  settings: Settings,
  services: GrpcServices & Pick<Services, 'tls' | 'connections'>,
): Promise<GrpcServer | undefined> {
  const { grpcPort, host, bodyLimitBytes } = settings;
  if (grpcPort === undefined) return undefined;
  const { startGrpcServer } = await import('./protocols/open-inference/grpc/grpc-server.ts');
  const options = {
    host,
    port: grpcPort,
    bodyLimitBytes,
    tls: services.tls?.pair,
    connections: services.connections,
    prefaceTimeoutMs: settings.headersTimeoutMs,
    idleTimeoutMs: settings.keepAliveTimeoutMs,
    maxStreams: settings.grpcMaxStreams,
  };
  return startGrpcServer(options, services);
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
