import type { VersionArtifact } from '../artifact.ts';
import { compareVersions, type ModelFolder } from '../repository/model-folder.ts';

/** A model on disk that can be used. */
export type UsableFolder<Kind extends VersionArtifact> = Exclude<ModelFolder<Kind>, { error: unknown }>;

/** The same with versions that the policy does not select. What is in the folder already stays as it was read. */
export function withArms<Kind extends VersionArtifact>(
  folder: UsableFolder<Kind>,
  artifacts: readonly Kind[],
): UsableFolder<Kind> {
  const present = new Set(folder.versions.map(({ version }) => version));
  const added = artifacts.filter(({ version }) => !present.has(version));
  if (added.length === 0) return folder;
  return {
    ...folder,
    versions: [...folder.versions, ...added].sort((a, b) => compareVersions(a.version, b.version)),
    named: [...(folder.named ?? []), ...added.map(({ version }) => version)],
  };
}

/** The same without those of the versions that the policy does not select. */
export function withoutArms<Kind extends VersionArtifact>(
  folder: UsableFolder<Kind>,
  versions: readonly string[],
): UsableFolder<Kind> {
  const { named = [] } = folder;
  const gone = new Set(versions.filter((version) => named.includes(version)));
  if (gone.size === 0) return folder;
  return {
    ...folder,
    versions: folder.versions.filter(({ version }) => !gone.has(version)),
    named: named.filter((version) => !gone.has(version)),
  };
}
