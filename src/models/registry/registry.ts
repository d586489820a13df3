import { AppError, toAppError, withoutFolders } from '../../errors.ts';
import type { Artifact, VersionArtifact } from '../artifact.ts';
import { isElsewhere } from '../elsewhere.ts';
import type { ModelFolder } from '../repository/model-folder.ts';
import type { Routing } from '../traffic/choose-arm.ts';
import { acquireServed, armsOf } from './acquire-served.ts';
import { dependencyOrder } from './dependency-order.ts';
import { boundBy, dependentsOn, entriesMadeOf, releasedMembers } from './dependents.ts';
import type { Lease, Members } from './lease.ts';
import type { LoadedVersion } from './loaded-version.ts';
import { memberError } from './member-error.ts';
import {
  Entry,
  hasReady,
  isUnchanged,
  membersOf,
  obsoleteVersions,
  predictorsOf,
  type RegisteredModel,
  sameList,
} from './registered-model.ts';
import type { FollowOptions, RegistryDependencies, SyncOptions } from './registry-options.ts';
import { type ReplaceDependencies, replaceVersion } from './replace-version.ts';
import { versionBySelector } from './version-by-selector.ts';
import { warnOfIdle } from './warn-of-idle.ts';

/** What is loaded, as opposed to what is on disk. */
export class Registry<Kind extends VersionArtifact = Artifact> {
  readonly #entries = new Map<string, Entry<Kind>>();
  readonly #dependencies: RegistryDependencies<Kind>;
  readonly #listeners = new Set<() => void>();
  readonly #closing = new AbortController();
  readonly #members: Members = {
    find: (name, selector) => {
      const model = this.#entries.get(name);
      return model === undefined ? undefined : versionBySelector(model, selector);
    },
    lease: (name, version, routing) => this.#leaseMember(name, version, routing),
    arms: (name) => armsOf(this.#entries.get(name)),
  };

  readonly #replacing: ReplaceDependencies<Kind>;

  constructor(dependencies: RegistryDependencies<Kind>) {
    this.#dependencies = dependencies;
    this.#replacing = { ...dependencies, members: this.#members, closing: this.#closing.signal };
  }

  /** Calls back when models or versions have come, gone or failed. */
  onChange(listener: () => void): void {
    this.#listeners.add(listener);
  }

  list(): readonly RegisteredModel[] {
    return [...this.#entries.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  find(name: string): RegisteredModel | undefined {
    return this.#entries.get(name);
  }

  /** @throws AppError `MODEL_NOT_FOUND`, which expects the models that there are; its message names none of them */
  get(name: string): RegisteredModel {
    const entry = this.#entries.get(name);
    if (entry !== undefined) return entry;
    throw new AppError('MODEL_NOT_FOUND', {
      message: `There is no model ${JSON.stringify(name)}`,
      received: name,
      expected: [...this.#entries.keys()],
    });
  }

  /** @throws AppError `MODEL_NOT_FOUND` or `VERSION_NOT_FOUND` */
  getVersion(name: string, version: string): LoadedVersion {
    const model = this.get(name);
    const found = model.versions.find((candidate) => candidate.version === version);
    if (found !== undefined) return found;
    const present = model.versions.map((candidate) => candidate.version);
    throw new AppError('VERSION_NOT_FOUND', {
      message: `The model ${name} has no version ${JSON.stringify(version)}; it has: ${present.join(', ') || 'none'}`,
      received: version,
      expected: present,
    });
  }

  /** Names of the models that stand on the model, or on one version of it. */
  dependentsOn(name: string, version?: string): readonly string[] {
    return dependentsOn(this.#entries.values(), name, version);
  }

  /**
   * Holds a version in memory until the lease is released: the one asked for, else the one that answers.
   *
   * @param routing what the one that answers is chosen by, where the requests of the model are split. @default it is the
   *   highest that can answer
   * @throws AppError `MODEL_NOT_FOUND`, `VERSION_NOT_FOUND` or `MODEL_NOT_READY`
   */
  acquire(name: string, version?: string, routing?: Routing): Lease {
    const lease =
      version === undefined ? acquireServed(this.get(name), routing) : this.getVersion(name, version).acquire();
    this.#hurry(name, lease.version);
    return lease;
  }

  /**
   * As {@link acquire}, for a copy of a request: nobody waits for the answer.
   *
   * @throws AppError `MODEL_NOT_FOUND`, `VERSION_NOT_FOUND` or `MODEL_NOT_READY`
   */
  acquireShadow(name: string, version: string): Lease {
    return this.getVersion(name, version).acquire();
  }

  /**
   * Makes what is loaded equal to what is on disk: loads new and changed versions, each after the models that it is made
   * of, then unloads what is gone. A version that fails to load never replaces one that works.
   */
  async sync(folders: readonly ModelFolder<Kind>[], options: Pick<SyncOptions, 'signal'> = {}): Promise<void> {
    const names = new Set(folders.map((folder) => folder.name));
    const gone = [...this.#entries.keys()].filter((name) => !names.has(name));
    const models = folders.map((folder) => ({ name: folder.name, folder, members: membersOf(folder) }));
    const { ordered, circular } = dependencyOrder(models);
    const synced = new Map<string, Promise<unknown>>();
    for (const [{ name }, error] of circular) synced.set(name, this.syncModel({ name, error }, options));
    for (const { name, folder, members } of ordered) {
      const before = members.flatMap((member) => synced.get(member) ?? []);
      const load = () => this.syncModel(folder, options);
      synced.set(name, before.length === 0 ? load() : Promise.all(before).then(load));
    }
    await Promise.all([...synced.values(), ...gone.map((name) => this.unload(name))]);
  }

  /**
   * As {@link sync}, for one model. Changes of the same model happen one after the other.
   *
   * @returns why the model, or versions of it, could not be loaded; empty when all is well
   */
  syncModel(folder: ModelFolder<Kind>, { reload = false, signal }: SyncOptions = {}): Promise<readonly AppError[]> {
    const { signal: closing } = this.#closing;
    const ending = signal === undefined ? closing : AbortSignal.any([closing, signal]);
    let entry = this.#entries.get(folder.name);
    if (entry === undefined) {
      entry = new Entry(folder.name);
      this.#entries.set(folder.name, entry);
    }
    entry.folder = folder;
    return this.#change(entry, (current) => this.#follow(current, folder, { isStale: () => reload, ending }));
  }

  /** Tries once more to load the versions of the model that could not be loaded because of another server. */
  async loadAgain(name: string): Promise<void> {
    const entry = this.#entries.get(name);
    if (entry === undefined) return;
    const options = { isStale: ({ error }: LoadedVersion) => isElsewhere(error), ending: this.#closing.signal };
    await this.#change(entry, async (current) => {
      if (current.folder !== undefined) await this.#follow(current, current.folder, options);
    });
  }

  /** Unloads every version of the model and forgets it; the promise resolves when its memory is free. */
  async unload(name: string): Promise<void> {
    const entry = this.#entries.get(name);
    if (entry === undefined) return;
    entry.folder = undefined;
    await this.#change(entry, async (current) => {
      await Promise.all(current.versions.map((version) => version.unload()));
      current.versions = [];
    });
    // It was asked for again meanwhile, and goes on with the same entry.
    if (entry.folder !== undefined) return;
    this.#entries.delete(name);
    this.#report();
  }

  /** Ends what loads, and unloads everything after the last lease of each has been returned. */
  async close(): Promise<void> {
    this.#closing.abort(
      new AppError('SHUTTING_DOWN', { message: 'The server is shutting down', retryAfterSeconds: 1 }),
    );
    await Promise.all([...this.#entries.keys()].map((name) => this.unload(name)));
  }

  /** Loads a version anew that everything went before, now that somebody waits for it. */
  #hurry(name: string, version: string): void {
    const entry = this.#entries.get(name);
    if (entry?.traffic?.shadow?.version !== version || !entry.isShadow(version)) return;
    entry.asked.add(version);
    const isStale = (loaded: LoadedVersion) => loaded.version === version && loaded.isBackground;
    this.#change(entry, async (current) => {
      const { folder } = current;
      if (folder !== undefined) await this.#follow(current, folder, { isStale, ending: this.#closing.signal });
    }).catch((err: unknown) => {
      this.#dependencies.log.warn({ err, model: name, version }, 'A shadow that is asked for could not be loaded anew');
    });
  }

  #leaseMember(name: string, version?: string, routing?: Routing): Lease {
    try {
      return this.acquire(name, version, routing);
    } catch (thrown) {
      throw memberError(name, thrown);
    }
  }

  #change<T>(entry: Entry<Kind>, change: (entry: Entry<Kind>) => Promise<T>): Promise<T> {
    const result = entry.change.then(async () => {
      const predictors = predictorsOf(entry);
      const bound = boundBy(entry);
      try {
        return await change(entry);
      } finally {
        this.#report();
        if (!sameList(predictors, predictorsOf(entry))) this.#followMember(entry.name);
        for (const name of releasedMembers(bound, boundBy(entry))) this.#dropReleased(name);
      }
    });
    const settled = () => {};
    entry.change = result.then(settled, settled);
    return result;
  }

  /** What ends because everything does is no change to follow. */
  #report(): void {
    if (this.#closing.signal.aborted) return;
    for (const listener of this.#listeners) listener();
  }

  /** What is made of the model is bound to what the model is now, or loaded anew. */
  #followMember(member: string): void {
    const { signal: ending } = this.#closing;
    if (ending.aborted) return;
    for (const entry of entriesMadeOf(this.#entries.values(), member)) {
      this.#change(entry, async (current) => {
        for (const { binding } of current.versions) binding?.follow();
        if (current.folder === undefined) return;
        await this.#follow(current, current.folder, {
          isStale: ({ binding }) => binding === undefined || binding.isOutdated,
          ending,
        });
      }).catch((err: unknown) => {
        this.#dependencies.log.warn({ err, model: entry.name }, `The model could not follow its member ${member}`);
      });
    }
  }

  /** Versions that were loaded only because another model stood on them. */
  #dropReleased(name: string): void {
    const entry = this.#entries.get(name);
    if (entry === undefined || this.#closing.signal.aborted) return;
    this.#change(entry, async (current) => {
      const { folder } = current;
      if (folder !== undefined && !('error' in folder)) await this.#dropObsolete(current, folder);
    }).catch((err: unknown) => {
      this.#dependencies.log.warn(
        { err, model: name },
        'Versions that nothing stands on any more could not be unloaded',
      );
    });
  }

  async #follow(
    entry: Entry<Kind>,
    folder: ModelFolder<Kind>,
    { isStale, ending }: FollowOptions,
  ): Promise<readonly AppError[]> {
    if (ending.aborted) return [toAppError(ending.reason)];
    if ('error' in folder) {
      entry.error = withoutFolders(folder.error);
      this.#dependencies.log.warn({ err: folder.error, model: folder.name }, 'The model cannot be used');
      return [entry.error];
    }
    entry.error = undefined;

    const { manifest, versions, named = [] } = folder;
    const unchanged = entry.versions.filter((loaded) => isUnchanged(loaded, versions) && !isStale(loaded));
    const wanted = versions.filter((file) => !unchanged.some((loaded) => loaded.version === file.version));
    const loads = wanted.map((file) => replaceVersion(entry, { artifact: file, manifest, ending }, this.#replacing));
    const failures = (await Promise.all(loads)).filter((failure) => failure !== undefined);

    if (loads.length > 0) warnOfIdle(entry, named, this.#dependencies.log);
    await this.#dropObsolete(entry, folder);
    return failures;
  }

  async #dropObsolete(entry: Entry<Kind>, folder: Exclude<ModelFolder<Kind>, { error: AppError }>): Promise<void> {
    const selected = new Set(folder.versions.map((file) => file.version));
    if (selected.size > 0 && !hasReady(entry, selected)) return;
    const isRetained = ({ version }: LoadedVersion) => this.dependentsOn(entry.name, version).length > 0;
    const obsolete = obsoleteVersions(entry, folder, isRetained);
    await Promise.all(obsolete.map((version) => version.unload()));
    entry.versions = entry.versions.filter((version) => !obsolete.includes(version));
  }
}
