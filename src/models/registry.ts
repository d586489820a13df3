import { AppError, toAppError, withoutFolders } from '../errors.ts';
import type { LoadedModel } from '../inference/model.ts';
import type { ModelOptions } from '../inference/model-options.ts';
import { type LoadSource, openLoadSource } from './files/load-source.ts';
import { type Lease, LoadedVersion } from './loaded-version.ts';
import type { Manifest } from './manifest.ts';
import { compareVersions, type ModelFolder, type VersionFile } from './model-folder.ts';
import { modelOptions } from './model-options.ts';
import { sameSignature } from './same-signature.ts';

export interface RegistryDependencies {
  /** The signal ends the load. */
  readonly loadModel: (options: ModelOptions, signal: AbortSignal) => Promise<LoadedModel>;
  /** Milliseconds that never run backwards. */
  readonly now: () => number;
  readonly log: {
    info(details: object, message: string): void;
    warn(details: object, message: string): void;
  };
}

/** A model by name, with its versions, highest first; `error` says why none could be looked at. */
export interface RegisteredModel {
  readonly name: string;
  readonly versions: readonly LoadedVersion[];
  readonly error: AppError | undefined;
}

class Entry implements RegisteredModel {
  readonly name: string;
  versions: LoadedVersion[] = [];
  error: AppError | undefined;
  /** The change that is under way; the next one waits for it. */
  change: Promise<void> = Promise.resolve();

  constructor(name: string) {
    this.name = name;
  }
}

export interface SyncOptions {
  /** Load also what has not changed, into new runners. @default false */
  readonly reload?: boolean;
  /** Ends the loads that are under way. @default the end of the registry alone */
  readonly signal?: AbortSignal;
}

interface Replacement {
  readonly file: VersionFile;
  readonly manifest: Manifest;
  readonly ending: AbortSignal;
}

const noCopy =
  'There is no copy of the external data of the model, so that each runner reads it into its own memory; give the temporary folder more room';

/** What is loaded, as opposed to what is on disk. */
export class Registry {
  readonly #entries = new Map<string, Entry>();
  readonly #dependencies: RegistryDependencies;
  readonly #listeners = new Set<() => void>();
  readonly #closing = new AbortController();

  constructor(dependencies: RegistryDependencies) {
    this.#dependencies = dependencies;
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

  /**
   * Holds a version in memory until the lease is released: the one asked for, else the highest that is loaded.
   *
   * @throws AppError `MODEL_NOT_FOUND`, `VERSION_NOT_FOUND` or `MODEL_NOT_READY`
   */
  acquire(name: string, version?: string): Lease {
    if (version !== undefined) return this.getVersion(name, version).acquire();
    const model = this.get(name);
    const loaded = model.versions.find((candidate) => candidate.model !== undefined) ?? model.versions[0];
    if (loaded !== undefined) return loaded.acquire();
    throw new AppError('MODEL_NOT_READY', {
      message: `The model ${name} is not ready: ${model.error?.message ?? 'it has no version'}`,
      retryAfterSeconds: 1,
      cause: model.error,
    });
  }

  /**
   * Makes what is loaded equal to what is on disk: loads new and changed versions, then unloads what is gone.
   * A version that fails to load never replaces one that works.
   */
  async sync(folders: readonly ModelFolder[], options: Pick<SyncOptions, 'signal'> = {}): Promise<void> {
    const names = new Set(folders.map((folder) => folder.name));
    const gone = [...this.#entries.keys()].filter((name) => !names.has(name));
    const loads = folders.map((folder) => this.syncModel(folder, options));
    await Promise.all([...loads, ...gone.map((name) => this.unload(name))]);
  }

  /**
   * As {@link sync}, for one model. Changes of the same model happen one after the other.
   *
   * @returns why the model, or versions of it, could not be loaded; empty when all is well
   */
  syncModel(folder: ModelFolder, { reload = false, signal }: SyncOptions = {}): Promise<readonly AppError[]> {
    const { signal: closing } = this.#closing;
    const ending = signal === undefined ? closing : AbortSignal.any([closing, signal]);
    let entry = this.#entries.get(folder.name);
    if (entry === undefined) {
      entry = new Entry(folder.name);
      this.#entries.set(folder.name, entry);
    }
    return this.#change(entry, (current) => this.#follow(current, folder, { reload, ending }));
  }

  /** Unloads every version of the model and forgets it; the promise resolves when its memory is free. */
  async unload(name: string): Promise<void> {
    const entry = this.#entries.get(name);
    if (entry === undefined) return;
    const change = this.#change(entry, async (current) => {
      await Promise.all(current.versions.map((version) => version.unload()));
      current.versions = [];
    });
    const ended = entry.change;
    await change;
    // A change that was asked for meanwhile goes on with the same entry.
    if (entry.change !== ended) return;
    this.#entries.delete(name);
    this.#changed();
  }

  /** Ends what loads, and unloads everything after the last lease of each has been returned. */
  async close(): Promise<void> {
    this.#closing.abort(
      new AppError('SHUTTING_DOWN', { message: 'The server is shutting down', retryAfterSeconds: 1 }),
    );
    await Promise.all([...this.#entries.keys()].map((name) => this.unload(name)));
  }

  #change<T>(entry: Entry, change: (entry: Entry) => Promise<T>): Promise<T> {
    const result = entry.change.then(() => change(entry));
    const settled = () => this.#changed();
    entry.change = result.then(settled, settled);
    return result;
  }

  /** What ends because everything does is no change to follow. */
  #changed(): void {
    if (this.#closing.signal.aborted) return;
    for (const listener of this.#listeners) listener();
  }

  async #follow(
    entry: Entry,
    folder: ModelFolder,
    { reload, ending }: { readonly reload: boolean; readonly ending: AbortSignal },
  ): Promise<readonly AppError[]> {
    if (ending.aborted) return [toAppError(ending.reason)];
    if ('error' in folder) {
      entry.error = withoutFolders(folder.error);
      this.#dependencies.log.warn({ err: folder.error, model: folder.name }, 'The model cannot be used');
      return [entry.error];
    }
    entry.error = undefined;

    const { manifest, versions } = folder;
    const unchanged = reload ? [] : entry.versions.filter((loaded) => isUnchanged(loaded, versions));
    const wanted = versions.filter((file) => !unchanged.some((loaded) => loaded.version === file.version));
    const loads = wanted.map((file) => this.#replace(entry, { file, manifest, ending }));
    const selected = new Set(versions.map((file) => file.version));
    const failures = (await Promise.all(loads)).filter((failure) => failure !== undefined);

    const obsolete = entry.versions.filter((loaded) => !selected.has(loaded.version));
    if (hasReady(entry, selected) || selected.size === 0) await this.#drop(entry, obsolete);
    return failures;
  }

  /** Loads the file and lets it take the place of the loaded version of the same number; gives why it could not. */
  async #replace(entry: Entry, { file, manifest, ending }: Replacement): Promise<AppError | undefined> {
    const { name } = entry;
    const identity = { name, version: file.version, manifest, fingerprint: file.fingerprint };
    const next = new LoadedVersion(identity);
    const previous = entry.versions.find((loaded) => loaded.version === file.version);
    if (previous?.model === undefined) putVersion(entry, next);

    const startedMs = this.#dependencies.now();
    let source: LoadSource | undefined;
    try {
      const warn = (err: Error) => this.#dependencies.log.warn({ err, model: name, version: file.version }, noCopy);
      const opened = await openLoadSource(file, { warn, signal: ending });
      source = opened;
      const model = await this.#dependencies.loadModel(modelOptions(next, opened, manifest), ending);
      await refuseNewSignature(previous, model);
      next.succeed(model, this.#dependencies.now() - startedMs, () => opened.remove());
    } catch (thrown) {
      await source?.remove();
      const error = toAppError(thrown);
      next.fail(withoutFolders(error));
      if (ending.aborted) return withoutFolders(error);
      if (previous?.model !== undefined) previous.keepInPlaceOf(withoutFolders(error));
      const consequence = previous?.model === undefined ? '' : '; the loaded one goes on serving';
      this.#dependencies.log.warn(
        { err: error, model: name, version: file.version },
        `Version ${file.version} of the model ${name} could not be loaded${consequence}`,
      );
      return withoutFolders(error);
    }
    if (this.#closing.signal.aborted) {
      await next.unload();
      return undefined;
    }

    putVersion(entry, next);
    this.#dependencies.log.info(
      {
        model: name,
        version: file.version,
        load_ms: Math.round(next.loadMs ?? 0),
        ...logIndependence(next.model),
      },
      'Model loaded',
    );
    await previous?.unload();
    return undefined;
  }

  async #drop(entry: Entry, obsolete: readonly LoadedVersion[]): Promise<void> {
    await Promise.all(obsolete.map((version) => version.unload()));
    entry.versions = entry.versions.filter((version) => !obsolete.includes(version));
  }
}

function logIndependence(model: LoadedModel | undefined): object {
  if (model === undefined) return {};
  const { independentRows, why } = model.independence;
  return { independent_rows: independentRows, why };
}

function isUnchanged(loaded: LoadedVersion, files: readonly VersionFile[]): boolean {
  return files.some((file) => file.version === loaded.version && file.fingerprint === loaded.fingerprint);
}

function hasReady(entry: Entry, versions: ReadonlySet<string>): boolean {
  return entry.versions.some((loaded) => versions.has(loaded.version) && loaded.model !== undefined);
}

function putVersion(entry: Entry, next: LoadedVersion): void {
  const others = entry.versions.filter((loaded) => loaded.version !== next.version);
  entry.versions = [...others, next].sort((a, b) => compareVersions(a.version, b.version));
}

/** Clients of a version rely on its signature: other inputs or outputs need a version number of their own. */
async function refuseNewSignature(previous: LoadedVersion | undefined, model: LoadedModel): Promise<void> {
  const before = previous?.model?.signature;
  if (before === undefined || sameSignature(before, model.signature)) return;
  await model.close();
  throw new AppError('MODEL_LOAD_FAILED', {
    message: 'The file was replaced by one with another signature; give it a version number of its own',
    received: model.signature,
    expected: before,
  });
}
