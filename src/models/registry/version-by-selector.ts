import { selectVersion } from '../../names/reference.ts';
import type { LoadedVersion } from './loaded-version.ts';
import type { RegisteredModel } from './registered-model.ts';

/**
 * The version that a selector means, loaded or not.
 *
 * @param selector a version, or one of the `versionLabels` of the model; without it, the version that answers
 */
export function versionBySelector(model: RegisteredModel, selector: string | undefined): LoadedVersion | undefined {
  if (selector === undefined) return model.served ?? model.versions[0];
  const [highest] = model.versions;
  const selected = selectVersion(selector, highest?.manifest.versionLabels ?? {});
  return 'fault' in selected ? undefined : model.versions.find(({ version }) => version === selected.version);
}
