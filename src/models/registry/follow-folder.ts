import { type AppError, toAppError, withoutFolders } from '../../errors.ts';
import type { VersionArtifact } from '../artifact.ts';
import type { ModelFolder } from '../repository/model-folder.ts';
import type { UsableFolder } from './arms-in-folder.ts';
import type { LoadedVersion } from './loaded-version.ts';
import { type Entry, hasReady, isUnchanged, obsoleteVersions } from './registered-model.ts';
import { type ReplaceDependencies, replaceVersion } from './replace-version.ts';
import { warnOfIdle } from './warn-of-idle.ts';

export interface FollowOptions {
  /** Whether a version is to be loaded anew although its files are the same. */
  readonly isStale: (loaded: LoadedVersion) => boolean;
  readonly ending: AbortSignal;
}

export interface FollowDependencies<Kind extends VersionArtifact> extends ReplaceDependencies<Kind> {
  /** Names of the models that stand on a version. */
  readonly dependentsOn: (name: string, version: string) => readonly string[];
}

/**
 * Makes the versions of a model those of its folder.
 *
 * @returns why the model, or versions of it, could not be loaded; empty when all is well
 */
export async function followFolder<Kind extends VersionArtifact>(
  entry: Entry<Kind>,
  folder: ModelFolder<Kind>,
  { isStale, ending }: FollowOptions,
  dependencies: FollowDependencies<Kind>,
): Promise<readonly AppError[]> {
  const { log } = dependencies;
  if (ending.aborted) return [toAppError(ending.reason)];
  if ('error' in folder) {
    entry.error = withoutFolders(folder.error);
    log.warn({ err: folder.error, model: folder.name }, 'The model cannot be used');
    return [entry.error];
  }
  entry.error = undefined;

  const { manifest, versions } = folder;
  const unchanged = entry.versions.filter((loaded) => isUnchanged(loaded, versions) && !isStale(loaded));
  const wanted = versions.filter((file) => !unchanged.some((loaded) => loaded.version === file.version));
  const loads = wanted.map((file) => replaceVersion(entry, { artifact: file, manifest, ending }, dependencies));
  const failures = (await Promise.all(loads)).filter((failure) => failure !== undefined);

  if (loads.length > 0) warnOfIdle(entry, folder.named ?? [], log);
  await dropObsolete(entry, folder, dependencies);
  return failures;
}

/** Unloads what the folder does not have any more, unless another model stands on it. */
export async function dropObsolete<Kind extends VersionArtifact>(
  entry: Entry<Kind>,
  folder: UsableFolder<Kind>,
  { dependentsOn }: Pick<FollowDependencies<Kind>, 'dependentsOn'>,
): Promise<void> {
  const selected = new Set(folder.versions.map((file) => file.version));
  if (selected.size > 0 && !hasReady(entry, selected)) return;
  const isRetained = ({ version }: LoadedVersion) => dependentsOn(entry.name, version).length > 0;
  const obsolete = obsoleteVersions(entry, folder, isRetained);
  await Promise.all(obsolete.map((version) => version.unload()));
  entry.versions = entry.versions.filter((version) => !obsolete.includes(version));
}
