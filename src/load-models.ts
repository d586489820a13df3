import type { Role } from './app.ts';
import { sweepPrivateFolders } from './models/files/private-folder.ts';
import type { Registry } from './models/registry/registry.ts';
import type { ModelFolder } from './models/repository/repository.ts';
import { RepositoryWatcher } from './models/repository/watch.ts';
import type { StartableServices } from './services.ts';
import type { Settings } from './settings.ts';
import { systemClock } from './timing/clock.ts';

/** How soon a change of the model repository is seen; it is followed at the second look. */
const watchIntervalMs = 1000;

export interface LoadOptions {
  /** What was in the model repository before the server listened. */
  readonly folders: readonly ModelFolder[];
  readonly scan: () => Promise<ModelFolder[]>;
  readonly role: Role;
  /** Where the server is, for people. */
  readonly places: string;
  /** When the start began, by the clock of the system. */
  readonly startedMs: number;
  /** Ends whatever is under way. */
  readonly signal: AbortSignal;
}

/**
 * Fetches and loads the models behind the listening server, then starts what works in the background.
 *
 * @param stack ends what was started
 * @throws AppError `MODELS_SOURCE_UNAVAILABLE`, `MODELS_FETCH_FAILED`; the reason of the signal
 */
export async function loadModels(
  settings: Settings,
  services: StartableServices,
  { folders, scan, role, places, startedMs, signal }: LoadOptions,
  stack: AsyncDisposableStack,
): Promise<void> {
  const { remote, registry, readiness, faces, storage, tasks, predictions, trafficFollower, log } = services;
  await sweepPrivateFolders();
  await remote?.fetch({ report: (what) => readiness.explainStart(what), signal });
  // How requests are split is to hold from the first one on.
  const mayHoldTraffic = trafficFollower?.mayHold === true;
  if (mayHoldTraffic) storage?.start();
  const current = remote === undefined ? folders : await scan();
  await registry.sync(current, { signal });
  signal.throwIfAborted();
  if (mayHoldTraffic) await trafficFollower?.applyAtStart(signal);
  signal.throwIfAborted();
  readiness.serve();
  if (role === 'server') faces.report();
  log.info(startupLine(role, places, registry, systemClock.now() - startedMs));
  // Not before: the first start of the embedded database takes as much of the processor as that of the models.
  storage?.start();
  trafficFollower?.start();
  tasks?.start();
  predictions?.start();
  if (!settings.watchModels) return;
  const watcher = new RepositoryWatcher(
    { scan, registry, clock: systemClock, log, intervalMs: watchIntervalMs, signal },
    current,
  );
  stack.defer(() => watcher.stop());
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
