import { type AppError, toAppError } from '../../../errors.ts';
import type { LoadedVersion } from '../../../models/registry/loaded-version.ts';
import type { Registry } from '../../../models/registry/registry.ts';
import { type ModelSelector, selectVersions } from './select-versions.ts';

/** Whether a model can be asked now, and if not why. */
export type ModelReadiness =
  | { readonly name: string; readonly ready: true }
  | {
      readonly name: string;
      readonly ready: false;
      readonly reason: string;
      /** Set when there is no such model or version. */
      readonly unknown?: AppError;
    };

/**
 * Whether the version, or any version where none is named, is ready. A model that does not exist is not ready, as Triton
 * has it: its clients ask so after an unload, and take an error for a failure of the call.
 */
export function modelReadiness(registry: Registry, selector: ModelSelector): ModelReadiness {
  const { name } = selector;
  let candidates: readonly LoadedVersion[];
  try {
    candidates = selectVersions(registry, selector);
  } catch (thrown) {
    const unknown = toAppError(thrown);
    return { name, ready: false, reason: unknown.message, unknown };
  }
  if (candidates.some(({ state }) => state === 'READY')) return { name, ready: true };
  const reason = candidates[0]?.reason ?? registry.get(name).error?.message ?? 'it has no version';
  return { name, ready: false, reason: `The model ${name} is not ready: ${reason}` };
}
