import type { VersionArtifact } from '../artifact.ts';
import type { BoundVersion } from '../assembled.ts';
import { type Entry, membersOf, type RegisteredModel } from './registered-model.ts';

/** The versions of other models that a model stands on. */
export function boundBy({ versions }: RegisteredModel): readonly BoundVersion[] {
  return versions.flatMap(({ binding }) => binding?.members ?? []);
}

/** Names of the models that stand on the version of that name, or on any version of it. */
export function dependentsOn(models: Iterable<RegisteredModel>, name: string, version?: string): readonly string[] {
  const isMeant = (bound: BoundVersion) => bound.name === name && (version === undefined || bound.version === version);
  return [...models].filter((model) => boundBy(model).some(isMeant)).map((model) => model.name);
}

/** Models whose files name the one of that name. */
export function entriesMadeOf<Kind extends VersionArtifact>(
  entries: Iterable<Entry<Kind>>,
  name: string,
): readonly Entry<Kind>[] {
  return [...entries].filter(({ folder }) => folder !== undefined && membersOf(folder).includes(name));
}

/** Names of models on which less stands now than before. */
export function releasedMembers(before: readonly BoundVersion[], after: readonly BoundVersion[]): readonly string[] {
  const isKept = ({ name, version }: BoundVersion) =>
    after.some((bound) => bound.name === name && bound.version === version);
  return [...new Set(before.filter((bound) => !isKept(bound)).map(({ name }) => name))];
}
