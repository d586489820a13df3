import type { AppError } from '../../errors.ts';
import type { Predictor } from '../../inference/predictor.ts';
import type { VersionArtifact } from '../artifact.ts';
import { compareVersions, type ModelFolder } from '../repository/model-folder.ts';
import { shadowAlone } from '../traffic/choose-shadow.ts';
import type { StoredTraffic } from '../traffic/stored-traffic.ts';
import type { TrafficSettings } from '../traffic/traffic-settings.ts';
import { chooseVersion } from './choose-version.ts';
import type { LoadedVersion } from './loaded-version.ts';

/** A model by name, with its versions, highest first; `error` says why none could be looked at. */
export interface RegisteredModel {
  readonly name: string;
  readonly versions: readonly LoadedVersion[];
  /** The version that answers where a request names none; undefined while none is loaded. */
  readonly served: LoadedVersion | undefined;
  readonly error: AppError | undefined;
  /** How requests that name no version are split; undefined where they are not. */
  readonly traffic: TrafficSettings | undefined;
}

/** A model that the registry changes; its versions are replaced, never changed in place. */
export class Entry<Kind extends VersionArtifact> implements RegisteredModel {
  readonly name: string;
  versions: LoadedVersion[] = [];
  error: AppError | undefined;
  /** What was last asked for; undefined when it was unloaded. */
  folder: ModelFolder<Kind> | undefined;
  /** Versions that answered nobody, and that somebody has asked for. */
  readonly asked = new Set<string>();
  /** The change that is under way; the next one waits for it. */
  change: Promise<void> = Promise.resolve();

  readonly #stored: StoredTraffic;

  constructor(name: string, stored: StoredTraffic) {
    this.name = name;
    this.#stored = stored;
  }

  get traffic(): TrafficSettings | undefined {
    const stored = this.#stored.get(this.name);
    if (stored === undefined) return this.#ofManifest;
    // A split is stored; which version is tried beside it is said in model.json alone.
    const shadow = this.#ofManifest?.shadow;
    return shadow === undefined ? stored : { ...stored, shadow };
  }

  get #ofManifest(): TrafficSettings | undefined {
    const { folder } = this;
    return folder === undefined || 'error' in folder ? undefined : folder.manifest.traffic;
  }

  /** Whether a version is there for copies of requests alone. */
  isShadow(version: string): boolean {
    return shadowAlone(this.traffic) === version && this.#named.includes(version) && !this.asked.has(version);
  }

  get #named(): readonly string[] {
    const { folder } = this;
    return folder === undefined || 'error' in folder ? [] : (folder.named ?? []);
  }

  get served(): LoadedVersion | undefined {
    const { folder } = this;
    if (folder === undefined || 'error' in folder) return chooseVersion(this.versions);
    const { versions: files, older = [] } = folder;
    const others = this.versions.filter(({ version }) => !this.#named.includes(version));
    // What is loaded only because a graph stands on it answers for the model while nothing else does.
    const isMeant = ({ version }: LoadedVersion) =>
      older.includes(version) || files.some((file) => file.version === version);
    return chooseVersion(others.filter(isMeant)) ?? chooseVersion(others);
  }
}

export function membersOf(folder: ModelFolder<VersionArtifact>): readonly string[] {
  return 'error' in folder ? [] : folder.versions.flatMap(({ members = [] }) => members);
}

export function predictorsOf({ versions }: RegisteredModel): readonly Predictor[] {
  return versions.flatMap(({ predictor }) => predictor ?? []);
}

export function sameList(one: readonly unknown[], other: readonly unknown[]): boolean {
  return one.length === other.length && one.every((element, index) => element === other[index]);
}

export function logIndependence({ engine }: LoadedVersion): object {
  if (engine === undefined) return {};
  const { independentRows, why } = engine.independence;
  return { independent_rows: independentRows, why };
}

export function isUnchanged(loaded: LoadedVersion, artifacts: readonly VersionArtifact[]): boolean {
  return artifacts.some(
    (artifact) => artifact.version === loaded.version && artifact.fingerprint === loaded.fingerprint,
  );
}

export function hasReady(entry: RegisteredModel, versions: ReadonlySet<string>): boolean {
  return entry.versions.some((loaded) => versions.has(loaded.version) && loaded.predictor !== undefined);
}

/** What the policy no longer selects. The version that serves goes on while its files are there: its clients need it. */
export function obsoleteVersions(
  { versions, served }: RegisteredModel,
  {
    versions: selected,
    older = [],
  }: { readonly versions: readonly VersionArtifact[]; readonly older?: readonly string[] },
  isRetained: (loaded: LoadedVersion) => boolean,
): readonly LoadedVersion[] {
  const goesOn = (loaded: LoadedVersion) => loaded === served && older.includes(loaded.version);
  const isSelected = (loaded: LoadedVersion) => selected.some(({ version }) => version === loaded.version);
  return versions.filter((loaded) => !isSelected(loaded) && !goesOn(loaded) && !isRetained(loaded));
}

export function putVersion(entry: { versions: LoadedVersion[] }, next: LoadedVersion): void {
  const others = entry.versions.filter((loaded) => loaded.version !== next.version);
  entry.versions = [...others, next].sort((a, b) => compareVersions(a.version, b.version));
}
