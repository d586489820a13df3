import type { LoadedVersion } from '../../../models/registry/loaded-version.ts';
import type { Registry } from '../../../models/registry/registry.ts';
import { type ServedModel, servedModelOf } from '../../../serving/served-model.ts';

/** A model, and perhaps one version of it, as a request names them. */
export interface ModelSelector {
  readonly name: string;
  /** Undefined: the highest that is loaded. */
  readonly version?: string | undefined;
}

/**
 * The version that a prediction would get now; it is not held.
 *
 * @throws AppError `MODEL_NOT_FOUND`, `VERSION_NOT_FOUND` or `MODEL_NOT_READY`
 */
export function servedVersion(registry: Registry, { name, version }: ModelSelector): ServedModel {
  const lease = registry.acquire(name, version);
  lease.release();
  return servedModelOf(lease);
}

/**
 * The version that is named, or all of them, the highest first.
 *
 * @throws AppError `MODEL_NOT_FOUND` or `VERSION_NOT_FOUND`
 */
export function selectVersions(registry: Registry, { name, version }: ModelSelector): readonly LoadedVersion[] {
  return version === undefined ? registry.get(name).versions : [registry.getVersion(name, version)];
}
