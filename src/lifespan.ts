import { setTimeout as delay } from 'node:timers/promises';
import { createApp, type Services } from './app.ts';
import { DisposalGroup, disposalErrors } from './disposal.ts';
import { AppError } from './errors.ts';
import { loadModels } from './load-models.ts';
import type { Registry } from './models/registry/registry.ts';
import { IgnoredFolders } from './models/repository/ignored-folders.ts';
import { scanRepository } from './models/repository/repository.ts';
import type { GrpcServer } from './protocols/open-inference/grpc/grpc-server.ts';
import type { GrpcServices } from './protocols/open-inference/grpc/services.ts';
import type { RunningServer } from './running-server.ts';
import { createServices, type ServiceOptions, type StartableServices } from './services.ts';
import type { Settings } from './settings.ts';
import type { Storage } from './storage/storage.ts';
import type { Logger } from './telemetry/logger.ts';
import { systemClock } from './timing/clock.ts';

export interface StartOptions extends ServiceOptions {
  /** Ends the start; to stop a server that has started is the caller's. @default never */
  readonly signal?: AbortSignal;
}

/** A server that listens, with what its parts are for tests and tools. */
export interface StartedServer extends RunningServer {
  readonly registry: Registry;
  /** Undefined when it is off. */
  readonly storage: Storage | undefined;
}

/**
 * Starts everything long-lived, outermost last: the server listens at once, and the models load behind it, so that a client
 * that waits for the port does not wait for them. Every part is put on one stack where it is made, so that the stop is the
 * start turned round, and a start that fails ends what it had begun.
 *
 * @throws AppError `SETTINGS_INVALID`, `DOMAIN_INVALID`; Error of the system when the port of HTTP cannot be had; the reason of the signal
 */
export async function startServer(settings: Settings, options: StartOptions): Promise<StartedServer> {
  const stack = new AsyncDisposableStack();
  const end = endOnce(stack, options.log);
  try {
    return { ...(await start(settings, options, stack)), stop: end };
  } catch (thrown) {
    // Its errors have been logged; why the start failed is what matters to the caller.
    await end().catch(() => {});
    throw thrown;
  }
}

async function start(
  settings: Settings,
  options: StartOptions,
  stack: AsyncDisposableStack,
): Promise<Omit<StartedServer, 'stop'>> {
  const { role = 'server', signal } = options;
  const startedMs = systemClock.now();
  const services = await createServices(settings, options, stack);
  signal?.throwIfAborted();

  const entrances = stack.use(new DisposalGroup());
  entrances.defer(() => services.tasks?.drain());
  const app = await createApp(settings, services, entrances);
  const scan = repositoryScan(settings, services);
  // A folder that cannot be read fails the start; models that are fetched are looked at again when they have come.
  const folders = await scan();
  signal?.throwIfAborted();
  const listening = await app.listen({ host: settings.host, port: settings.port });
  // Fastify does not know what its server speaks.
  const address = services.tls === undefined ? listening : listening.replace('http:', 'https:');
  const { allowModelUpload } = settings;
  const grpcServices = { ...services, limits: app.callerLimits, clock: systemClock, allowModelUpload };
  const grpc = role === 'worker' ? undefined : await startGrpc(settings, grpcServices);
  entrances.defer(() => grpc?.stop());
  signal?.throwIfAborted();

  const stopping = new AbortController();
  const background = stack.use(new AsyncDisposableStack());
  const places = grpc === undefined ? address : `${address} and by gRPC at port ${grpc.port}`;
  const load = { folders, scan, role, places, startedMs, signal: stopping.signal };
  const loaded = loadModels(settings, services, load, background).catch((thrown: unknown) => {
    if (!stopping.signal.aborted) throw thrown;
  });
  stack.defer(() => loaded.catch(() => {}));
  stack.defer(() => announceStop(services, settings.drainDelayMs));
  stack.defer(() => stopping.abort(shuttingDown()));
  return { app, address, grpcPort: grpc?.port, registry: services.registry, storage: services.storage, loaded };
}

/** Takes the server out of service, and goes on for as long as load balancers need to notice. */
async function announceStop({ readiness }: Services, drainDelayMs: number): Promise<void> {
  const wasAnnounced = readiness.serving;
  readiness.drain();
  if (wasAnnounced) await delay(drainDelayMs);
}

/**
 * Ends the stack, once, whatever step of it fails.
 *
 * @returns a function that rejects with AggregateError when steps failed, after all of them; each has been logged then
 */
function endOnce(stack: AsyncDisposableStack, log: Logger): () => Promise<void> {
  let ended: Promise<void> | undefined;
  const end = async () => {
    try {
      await stack.disposeAsync();
    } catch (thrown) {
      const errors = disposalErrors(thrown);
      for (const err of errors) log.error({ err }, 'A part of the server could not be stopped');
      throw new AggregateError(errors, `Parts of the server could not be stopped: ${errors.length}`);
    }
  };
  return () => (ended ??= end());
}

function repositoryScan({ modelName }: Settings, { log, modelsDir, remote, registry }: StartableServices) {
  const ignored = new IgnoredFolders(log);
  const onIgnored = (names: readonly string[]) => ignored.report(names);
  const options = { ownName: modelName, ownedByServer: remote !== undefined, onIgnored };
  return () => scanRepository(modelsDir, { ...options, selections: registry.armsOfStored() });
}

/** What serves by gRPC is only loaded where it is switched on. */
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

function shuttingDown(): AppError {
  return new AppError('SHUTTING_DOWN', { message: 'The server is shutting down', retryAfterSeconds: 1 });
}
