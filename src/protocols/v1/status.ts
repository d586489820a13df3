import { z } from 'zod';
import type { LoadedVersion } from '../../models/registry/loaded-version.ts';
import type { Registry } from '../../models/registry/registry.ts';
import { type Selector, selectedVersion } from './selector.ts';

const versionStatus = z.object({
  version: z.string(),
  state: z.enum(['LOADING', 'AVAILABLE', 'UNLOADING', 'END']),
  status: z.object({ error_code: z.enum(['OK', 'UNAVAILABLE']), error_message: z.string() }),
});

/** The status of a model as KServe V1 (`name`, `ready`) and TensorFlow Serving (`model_version_status`) give it. */
export const statusSchema = z.object({
  name: z.string(),
  ready: z.boolean(),
  model_version_status: z.array(versionStatus),
  error: z.string().optional().describe('Why the model is not ready'),
});

export type Status = z.output<typeof statusSchema>;

const stateNames = { LOADING: 'LOADING', READY: 'AVAILABLE', UNLOADING: 'UNLOADING', UNAVAILABLE: 'END' } as const;

/**
 * The status of a model, or of one version of it.
 *
 * @throws AppError `MODEL_NOT_FOUND` or `VERSION_NOT_FOUND`
 */
export function statusOf(registry: Registry, selector: Selector): Status {
  const { name, versions, error } = registry.get(selector.name);
  const version = selectedVersion(registry, selector);
  const selected = version === undefined ? versions : [registry.getVersion(name, version)];
  const ready = selected.some(({ state }) => state === 'READY');
  const reason = error?.message ?? selected[0]?.reason ?? 'it has no version';
  return {
    name,
    ready,
    model_version_status: selected.map(describeVersion),
    ...(!ready && { error: `The model ${name} is not ready: ${reason}` }),
  };
}

function describeVersion({ version, state, reason }: LoadedVersion): Status['model_version_status'][number] {
  const isFault = state === 'UNAVAILABLE';
  const status = { error_code: isFault ? 'UNAVAILABLE' : 'OK', error_message: isFault ? (reason ?? '') : '' } as const;
  return { version, state: stateNames[state], status };
}
