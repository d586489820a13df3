import { AppError } from '../../errors.ts';
import type { Artifact, MemberSelection, VersionArtifact } from '../artifact.ts';
import { isElsewhere } from '../elsewhere.ts';
import type { ModelFolder } from '../repository/model-folder.ts';
import type { Routing } from '../traffic/choose-arm.ts';
import { StoredTraffic } from '../traffic/stored-traffic.ts';
import type { SplitSettings } from '../traffic/traffic-settings.ts';
import { acquireServed, armsOf } from './acquire-served.ts';
import { type UsableFolder, withArms, withoutArms } from './arms-in-folder.ts';
import { dependencyOrder } from './dependency-order.ts';
import { boundBy, dependentsOn, entriesMadeOf, releasedMembers } from './dependents.ts';
import { dropObsolete, type FollowDependencies, followFolder } from './follow-folder.ts';
import type { Lease, Members } from './lease.ts';
import { leaseMember } from './lease-member.ts';
import type { LoadedVersion } from './loaded-version.ts';
import { Entry, membersOf, predictorsOf, type RegisteredModel, sameList } from './registered-model.ts';
import type { RegistryDependencies, SyncOptions } from './registry-options.ts';
import { versionBySelector } from './version-by-selector.ts';

/** What is loaded, as opposed to what is on disk. */
export class Registry<Kind extends VersionArtifact = Artifact> {
  readonly #entries = new Map<string, Entry<Kind>>();
  readonly #dependencies: RegistryDependencies<Kind>;
  readonly #listeners = new Set<() => void>();
  readonly #closing = new AbortController();
  readonly #traffic = new StoredTraffic();
  readonly #members: Members = {
    find: (name, selector) => {
      const model = this.#entries.get(name);
      return model === undefined ? undefined : versionBySelector(model, selector);
    },
    lease: (name, version, routing) => leaseMember(name, () => this.acquire(name, version, routing)),
    arms: (name) => armsOf(this.#entries.get(name)),
  };

  readonly #following: FollowDependencies<Kind>;

  constructor(dependencies: RegistryDependencies<Kind>) {
    this.#dependencies = dependencies;
    this.#following = {
      ...dependencies,
      members: this.#members,
      closing: this.#closing.signal,
      dependentsOn: (name, version) => this.dependentsOn(name, version),
    };
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
    const ending = this.#endingBy(signal);
    let entry = this.#entries.get(folder.name);
    if (entry === undefined) {
      entry = new Entry(folder.name, this.#traffic);
      this.#entries.set(folder.name, entry);
    }
    entry.folder = folder;
    return this.#change(entry, (current) =>
      followFolder(current, folder, { isStale: () => reload, ending }, this.#following),
    );
  }

  /** Versions that scans are to read beside those that the policies select. */
  armsOfStored(): readonly MemberSelection[] {
    return this.#traffic.selections();
  }

  /**
   * Loads versions of a model for a split that is to be, beside what it has loaded, and keeps them until {@link setTraffic}
   * says what becomes of it. Nothing else of the model changes, whatever has become of its files.
   *
   * @param artifacts read from disk
   * @returns why some of them could not be loaded; empty when all are there
   */
  async expectArms(
    name: string,
    artifacts: readonly Kind[],
    { signal }: Pick<SyncOptions, 'signal'> = {},
  ): Promise<readonly AppError[]> {
    const entry = this.#entries.get(name);
    if (entry === undefined) return [];
    const wanted = artifacts.map(({ version }) => version);
    this.#traffic.expect(name, wanted);
    const ending = this.#endingBy(signal);
    return this.#change(entry, async (current) => {
      const { folder } = current;
      if (folder === undefined || 'error' in folder) return [];
      const next = withArms(folder, artifacts);
      current.folder = next;
      const isStale = ({ version, predictor }: LoadedVersion) => predictor === undefined && wanted.includes(version);
      return followFolder(current, next, { isStale, ending }, this.#following);
    });
  }

  /**
   * Splits the requests of a model in place of `traffic` of its `model.json`, also while the model is not there. Versions
   * that were loaded for the split before, and that nothing names any more, are unloaded behind the caller's back.
   *
   * @param settings undefined: as `model.json` says
   */
  setTraffic(name: string, settings: SplitSettings | undefined): void {
    const before = this.#traffic.versions(name);
    this.#traffic.expect(name, []);
    this.#traffic.set(name, settings);
    const entry = this.#entries.get(name);
    if (entry === undefined) return;
    this.#followMember(name);
    this.#drop(entry, (folder) => {
      const needed = new Set([...this.#traffic.versions(name), ...Object.keys(folder.manifest.traffic?.split ?? {})]);
      // What a graph stands on stays loaded for as long as it does.
      return withoutArms(
        folder,
        [...before].filter((version) => !needed.has(version)),
      );
    });
  }

  /** Tries once more to load the versions of the model that could not be loaded because of another server. */
  async loadAgain(name: string): Promise<void> {
    const entry = this.#entries.get(name);
    if (entry === undefined) return;
    const options = { isStale: ({ error }: LoadedVersion) => isElsewhere(error), ending: this.#closing.signal };
    await this.#change(entry, async (current) => {
      if (current.folder !== undefined) await followFolder(current, current.folder, options, this.#following);
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

  #endingBy(signal: AbortSignal | undefined): AbortSignal {
    const { signal: closing } = this.#closing;
    return signal === undefined ? closing : AbortSignal.any([closing, signal]);
  }

  /** Loads a version anew that everything went before, now that somebody waits for it. */
  #hurry(name: string, version: string): void {
    const entry = this.#entries.get(name);
    if (entry?.traffic?.shadow?.version !== version || !entry.isShadow(version)) return;
    entry.asked.add(version);
    const isStale = (loaded: LoadedVersion) => loaded.version === version && loaded.isBackground;
    this.#change(entry, async (current) => {
      const { folder } = current;
      const options = { isStale, ending: this.#closing.signal };
      if (folder !== undefined) await followFolder(current, folder, options, this.#following);
    }).catch((err: unknown) => {
      this.#dependencies.log.warn({ err, model: name, version }, 'A shadow that is asked for could not be loaded anew');
    });
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
        await followFolder(
          current,
          current.folder,
          { isStale: ({ binding }) => binding === undefined || binding.isOutdated, ending },
          this.#following,
        );
      }).catch((err: unknown) => {
        this.#dependencies.log.warn({ err, model: entry.name }, `The model could not follow its member ${member}`);
      });
    }
  }

  /** Versions that were loaded only because another model stood on them. */
  #dropReleased(name: string): void {
    const entry = this.#entries.get(name);
    if (entry !== undefined) this.#drop(entry, (folder) => folder);
  }

  /** Unloads what is not in the folder, or not any more. */
  #drop(entry: Entry<Kind>, reduce: (folder: UsableFolder<Kind>) => UsableFolder<Kind>): void {
    if (this.#closing.signal.aborted) return;
    this.#change(entry, async (current) => {
      const { folder } = current;
      if (folder === undefined || 'error' in folder) return;
      const next = reduce(folder);
      current.folder = next;
      await dropObsolete(current, next, this.#following);
    }).catch((err: unknown) => {
      this.#dependencies.log.warn({ err, model: entry.name }, 'Versions that nothing needs any more stay loaded');
    });
  }
}
