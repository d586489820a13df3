import { toAppError } from '../../errors.ts';
import type { Clock } from '../../timing/clock.ts';
import type { Log } from '../../timing/log.ts';
import { RepeatingJob } from '../../timing/repeating-job.ts';
import type { Registry } from '../registry/registry.ts';
import type { ModelFolder } from './repository.ts';

export interface WatchDependencies {
  readonly scan: () => Promise<ModelFolder[]>;
  readonly registry: Pick<Registry, 'syncModel' | 'unload'>;
  readonly clock: Clock;
  readonly log: Pick<Log, 'warn'>;
  /** Ends the loads that are under way. @default never */
  readonly signal?: AbortSignal;
  /** Time between two looks at the folder. */
  readonly intervalMs: number;
}

/**
 * Follows the model repository: what has changed, and was the same in two looks, is loaded. So a file that is still
 * being copied is left alone. It looks instead of being told, because mounted folders tell nothing of their changes.
 */
export class RepositoryWatcher {
  readonly #dependencies: WatchDependencies;
  /** State of each model at the last look, and at the last change that was followed. */
  #seen = new Map<string, string>();
  readonly #followed = new Map<string, string>();
  readonly #looks: RepeatingJob;

  /** @param initial what has been loaded already */
  constructor(dependencies: WatchDependencies, initial: readonly ModelFolder[]) {
    this.#dependencies = dependencies;
    for (const folder of initial) this.#followed.set(folder.name, stateOf(folder));
    this.#seen = new Map(this.#followed);
    const { clock, intervalMs, log } = dependencies;
    this.#looks = new RepeatingJob(() => this.#look(), {
      intervalMs,
      clock,
      onError: (thrown) => log.warn({ err: toAppError(thrown) }, 'The model repository could not be read'),
    });
  }

  /** Looks no more; resolves when the change that is being followed, if any, is complete. */
  stop(): Promise<void> {
    return this.#looks.close();
  }

  async #look(): Promise<void> {
    const folders = await this.#dependencies.scan();
    const current = new Map(folders.map((folder) => [folder.name, stateOf(folder)]));
    const isStill = (name: string) => current.get(name) === this.#seen.get(name);
    const changed = folders.filter(({ name }) => isStill(name) && current.get(name) !== this.#followed.get(name));
    const gone = [...this.#followed.keys()].filter((name) => !current.has(name) && isStill(name));
    this.#seen = current;
    await Promise.all([...changed.map((folder) => this.#follow(folder)), ...gone.map((name) => this.#forget(name))]);
  }

  async #follow(folder: ModelFolder): Promise<void> {
    this.#followed.set(folder.name, stateOf(folder));
    const { registry, signal } = this.#dependencies;
    await registry.syncModel(folder, signal === undefined ? {} : { signal });
  }

  async #forget(name: string): Promise<void> {
    this.#followed.delete(name);
    await this.#dependencies.registry.unload(name);
  }
}

/** Changes whenever the registry would have something to do. */
function stateOf(folder: ModelFolder): string {
  if ('error' in folder) return `error:${folder.error.message}`;
  return JSON.stringify([folder.manifest, folder.versions]);
}
