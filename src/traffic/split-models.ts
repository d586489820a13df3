import { AppError, type Fault } from '../errors.ts';
import type { Artifact } from '../models/artifact.ts';
import { whyNoArms } from '../models/registry/acquire-served.ts';
import type { RegisteredModel } from '../models/registry/registered-model.ts';
import type { Registry } from '../models/registry/registry.ts';
import type { ModelFolder } from '../models/repository/model-folder.ts';
import type { ScanOptions } from '../models/repository/repository.ts';
import type { SplitSettings } from '../models/traffic/traffic-settings.ts';
import type { Clock } from '../timing/clock.ts';
import type { Log } from '../timing/log.ts';

export interface SplitModelsDependencies {
  readonly registry: Registry;
  /** Reads the model repository. */
  readonly scan: (options: Pick<ScanOptions, 'policy' | 'selections'>) => Promise<readonly ModelFolder[]>;
  readonly clock: Pick<Clock, 'setTimer'>;
  readonly log: Pick<Log, 'warn'>;
}

/** Longest load of a model whose manifest cannot be read. */
const usualLoadTimeoutMs = 60_000;

/** Loads the versions that a stored split names, and splits the requests of the model by it. */
export class SplitModels {
  readonly #dependencies: SplitModelsDependencies;

  constructor(dependencies: SplitModelsDependencies) {
    this.#dependencies = dependencies;
  }

  /** @throws AppError `MODEL_NOT_FOUND` */
  get(name: string): RegisteredModel {
    return this.#dependencies.registry.get(name);
  }

  find(name: string): RegisteredModel | undefined {
    return this.#dependencies.registry.find(name);
  }

  /**
   * Loads every version of a split that is to be, so that all of them can answer. {@link follow} says what becomes of them.
   *
   * @throws AppError `MODEL_NOT_FOUND`; `TRAFFIC_INVALID` for versions that are not on disk, cannot be loaded, or have other
   *   inputs or outputs than the one that answers without a split; `MODEL_NOT_READY` after the `loadTimeoutMs` of the model
   */
  async prepare(name: string, { split }: SplitSettings): Promise<void> {
    const model = this.get(name);
    const versions = Object.keys(split);
    if (!hasAll(model, versions)) await this.#load(model, versions);
    const [first, ...others] = whyNoArms(model, versions);
    if (first === undefined) return;
    const faults = [first, ...others].map(({ version, why }) => fault(version, why));
    throw invalid(faults, { received: versions, expected: 'versions that are ready, of the same inputs and outputs' });
  }

  /**
   * Splits the requests of a model, once the versions that the split names are loaded as far as they can be.
   *
   * @param signal ends the loads that are under way
   */
  async follow(name: string, settings: SplitSettings | undefined, signal?: AbortSignal): Promise<void> {
    const { registry, log } = this.#dependencies;
    const model = registry.find(name);
    const versions = Object.keys(settings?.split ?? {});
    if (model !== undefined && !hasAll(model, versions)) {
      await this.#read(name, versions)
        .then((artifacts) => registry.expectArms(name, artifacts, { signal }))
        .catch((err: unknown) => log.warn({ err, model: name }, 'Versions of the split of the traffic are not loaded'));
    }
    registry.setTraffic(name, settings);
  }

  /** Whether versions of the split were never tried, such as one whose files have come since. */
  lacks(name: string, { split }: SplitSettings): boolean {
    const model = this.#dependencies.registry.find(name);
    return model !== undefined && Object.keys(split).some((version) => !has(model, version));
  }

  async #load(model: RegisteredModel, versions: readonly string[]): Promise<void> {
    const { name } = model;
    const artifacts = await this.#read(name, versions);
    const found = new Set([...artifacts, ...model.versions].map(({ version }) => version));
    const unknown = versions.filter((version) => !found.has(version));
    if (unknown.length > 0) {
      const expected = await this.#onDisk(name);
      const why = `there is no such version on disk; there are: ${expected.join(', ') || 'none'}`;
      throw invalid(
        unknown.map((version) => fault(version, why)),
        { received: unknown, expected },
      );
    }
    const { loadTimeoutMs = usualLoadTimeoutMs } = model.versions[0]?.manifest ?? {};
    const failures = await this.#within(loadTimeoutMs, name, (signal) =>
      this.#dependencies.registry.expectArms(name, artifacts, { signal }),
    );
    const passing = failures.find(({ kind }) => kind === 'overloaded');
    if (passing !== undefined) throw passing;
  }

  async #within<Result>(
    timeoutMs: number,
    name: string,
    load: (signal: AbortSignal) => Promise<Result>,
  ): Promise<Result> {
    const late = new AbortController();
    const lateness = Promise.withResolvers<never>();
    const cancel = this.#dependencies.clock.setTimer(timeoutMs, () => {
      const message = `Versions of the model ${name} were not loaded within loadTimeoutMs, which is ${timeoutMs} ms`;
      const error = new AppError('MODEL_NOT_READY', { message, expected: timeoutMs, retryAfterSeconds: 1 });
      late.abort(error);
      lateness.reject(error);
    });
    try {
      return await Promise.race([load(late.signal), lateness.promise]);
    } finally {
      cancel();
    }
  }

  async #read(name: string, versions: readonly string[]): Promise<readonly Artifact[]> {
    const selections = versions.map((selector) => ({ name, selector }));
    const folders = await this.#dependencies.scan({ selections });
    return versionsOf(folders, name).filter(({ version }) => versions.includes(version));
  }

  async #onDisk(name: string): Promise<readonly string[]> {
    const folders = await this.#dependencies.scan({ policy: 'all' });
    return versionsOf(folders, name).map(({ version }) => version);
  }
}

function versionsOf(folders: readonly ModelFolder[], name: string): readonly Artifact[] {
  const folder = folders.find((candidate) => candidate.name === name);
  return folder === undefined || 'error' in folder ? [] : folder.versions;
}

function has({ versions }: RegisteredModel, version: string): boolean {
  return versions.some((loaded) => loaded.version === version);
}

function hasAll({ versions }: RegisteredModel, wanted: readonly string[]): boolean {
  return wanted.every((version) =>
    versions.some((loaded) => loaded.version === version && loaded.predictor !== undefined),
  );
}

function fault(version: string, message: string): Fault {
  return { location: ['body', 'split', version], type: 'version', message };
}

function invalid(
  faults: readonly Fault[],
  { received, expected }: { readonly received: unknown; readonly expected: unknown },
): AppError {
  const [first] = faults;
  const message = `${first?.location.join('.')}: ${first?.message}`;
  return new AppError('TRAFFIC_INVALID', { message, faults, received, expected });
}
