import { AppError, hideFolders } from '../errors.ts';
import type { MemberSelection } from './artifact.ts';
import { parseManifest } from './manifest.ts';
import { boundBy } from './registry/dependents.ts';
import type { VersionState } from './registry/loaded-version.ts';
import type { RegisteredModel } from './registry/registered-model.ts';
import type { Registry } from './registry/registry.ts';
import { versionBySelector } from './registry/version-by-selector.ts';
import { KeptUploads } from './repository/kept-uploads.ts';
import { type ModelUpload, writeUpload } from './repository/model-upload.ts';
import { type ModelFolder, scanRepository, selectionsOf } from './repository/repository.ts';

/** A line of the repository index: a version, or a model of which no version is known. */
export interface IndexEntry {
  readonly name: string;
  readonly version?: string;
  /** Absent for a model that is on disk and was never loaded. */
  readonly state?: VersionState;
  /** Why it is not ready. */
  readonly reason?: string;
}

export interface ModelControlDependencies {
  readonly modelsDir: string;
  /** Name of the model that lies in the folder itself. */
  readonly modelName?: string | undefined;
  readonly registry: Registry;
  /** Whether the server fetched the folder itself, so that its files never change. @default false */
  readonly ownedByServer?: boolean;
  /** Where uploads are kept that models are loaded from. @default for as long as the process lives */
  readonly uploads?: KeptUploads;
}

/** Loads and unloads models on request, and knows what is on disk beside what is loaded. */
export class ModelControl {
  readonly #scan: (selections?: readonly MemberSelection[]) => Promise<ModelFolder[]>;
  readonly #registry: Registry;
  /** Models that were unloaded on request, with the versions that they had. */
  readonly #unloaded = new Map<string, readonly string[]>();
  readonly #uploads: KeptUploads;

  constructor(dependencies: ModelControlDependencies) {
    const { modelsDir, modelName, registry, ownedByServer = false, uploads = new KeptUploads() } = dependencies;
    this.#scan = (selections) => scanRepository(modelsDir, { ownName: modelName, ownedByServer, selections });
    this.#registry = registry;
    this.#uploads = uploads;
  }

  /**
   * What is on disk or loaded, by name; the highest version first.
   *
   * @throws AppError `SETTINGS_INVALID` if the repository cannot be read
   */
  async index(): Promise<readonly IndexEntry[]> {
    const folders = new Map((await this.#scan()).map((folder) => [folder.name, folder]));
    const loaded = new Map(this.#registry.list().map((model) => [model.name, model]));
    const names = new Set([...folders.keys(), ...loaded.keys()]);
    return [...names].sort().flatMap((name) => this.#entriesOf(name, loaded.get(name), folders.get(name)));
  }

  /**
   * Reads the model anew from disk and loads it, also when nothing has changed: new runners start and warm up, take the
   * place of the ones there are, and those end after their last request. Resolves when all of that is done.
   *
   * @param upload what to load instead of what is on disk, until the next load or change of the file
   * @throws AppError `MODEL_NOT_FOUND` when it is not on disk; `MODEL_LOAD_FAILED` or `MANIFEST_INVALID` when it cannot
   *   be loaded, and then a version that was loaded goes on serving
   */
  async load(name: string, upload?: ModelUpload): Promise<void> {
    const written = upload !== undefined && upload.files.size > 0 ? await writeUpload(name, upload) : undefined;
    const folder = written?.folder ?? withConfig(await this.#find(name), upload?.config);
    await this.#loadNamed(folder);
    const [failure] = await this.#registry.syncModel(folder, { reload: true });
    if (failure !== undefined) {
      await written?.remove();
      throw failure;
    }
    this.#unloaded.delete(name);
    await this.#uploads.replace(name, written);
  }

  /**
   * Unloads every version after its last request, and resolves when that is done. An unknown model is no error.
   *
   * @param options `withMembers`: also the models that it stands on, where no other does
   * @throws AppError `MODEL_IN_USE` when others stand on it
   */
  async unload(name: string, { withMembers = false }: { readonly withMembers?: boolean } = {}): Promise<void> {
    const model = this.#registry.find(name);
    if (model === undefined) return;
    const dependents = this.#registry.dependentsOn(name);
    if (dependents.length > 0) {
      throw new AppError('MODEL_IN_USE', {
        message: `Other models are made of the model ${name}: ${dependents.join(', ')}; unload them first`,
        received: name,
        expected: dependents,
      });
    }
    const members = new Set(boundBy(model).map((bound) => bound.name));
    this.#unloaded.set(
      name,
      model.versions.map(({ version }) => version),
    );
    await this.#registry.unload(name);
    await this.#uploads.replace(name, undefined);
    if (!withMembers) return;
    for (const member of members) {
      if (this.#registry.dependentsOn(member).length === 0) await this.unload(member, { withMembers });
    }
  }

  /** Versions of loaded models that a graph names, and that their policies do not select. */
  async #loadNamed(folder: ModelFolder): Promise<void> {
    const selections = selectionsOf(folder);
    const isMissing = ({ name, selector }: MemberSelection) => {
      const model = this.#registry.find(name);
      return model !== undefined && !this.#uploads.has(name) && versionBySelector(model, selector) === undefined;
    };
    const missing = new Set(selections.filter(isMissing).map(({ name }) => name));
    if (missing.size === 0) return;
    const folders = await this.#scan(selections);
    const members = folders.filter(({ name }) => missing.has(name));
    await Promise.all(members.map((member) => this.#registry.syncModel(member)));
  }

  async #find(name: string): Promise<ModelFolder> {
    const folders = await this.#scan();
    const folder = folders.find((candidate) => candidate.name === name);
    if (folder !== undefined) return folder;
    const names = folders.map((candidate) => candidate.name);
    throw new AppError('MODEL_NOT_FOUND', {
      message: `The model repository has no model ${JSON.stringify(name)}`,
      received: name,
      expected: names,
    });
  }

  #entriesOf(
    name: string,
    loaded: RegisteredModel | undefined,
    folder: ModelFolder | undefined,
  ): readonly IndexEntry[] {
    const versions = loaded?.versions ?? [];
    if (versions.length > 0) {
      return versions.map(({ version, state, reason }) => ({
        name,
        version,
        state,
        ...(reason !== undefined && { reason }),
      }));
    }
    const unloaded = this.#unloaded.get(name);
    if (unloaded !== undefined) {
      const entry = { name, state: 'UNAVAILABLE', reason: 'unloaded' } as const;
      return unloaded.length === 0 ? [entry] : unloaded.map((version) => ({ ...entry, version }));
    }
    const error = loaded?.error ?? (folder !== undefined && 'error' in folder ? folder.error : undefined);
    return [error === undefined ? { name } : { name, state: 'UNAVAILABLE', reason: hideFolders(error.message) }];
  }
}

/** The folder with another manifest than its own. The versions stay those that its own selects. */
function withConfig(folder: ModelFolder, config: string | undefined): ModelFolder {
  if (config === undefined || 'error' in folder) return folder;
  return { ...folder, manifest: parseManifest('config', config) };
}
