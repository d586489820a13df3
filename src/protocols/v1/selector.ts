import { AppError } from '../../errors.ts';
import type { Registry } from '../../models/registry/registry.ts';

/** Which model, and which of its versions; the highest that is loaded when neither is given. */
export interface Selector {
  readonly name: string;
  readonly version?: string;
  /** A name that `versionLabels` of `model.json` gives to a version. */
  readonly label?: string;
}

/**
 * The version that is meant, or undefined for the highest that is loaded.
 *
 * @throws AppError `MODEL_NOT_FOUND`, or `VERSION_NOT_FOUND` for an unknown label
 */
export function selectedVersion(registry: Registry, { name, version, label }: Selector): string | undefined {
  if (label === undefined) return version;
  const [newest] = registry.get(name).versions;
  const labels = newest?.manifest.versionLabels ?? {};
  if (Object.hasOwn(labels, label)) return String(labels[label]);
  const known = Object.keys(labels);
  throw new AppError('VERSION_NOT_FOUND', {
    message: `The model ${name} has no version label ${JSON.stringify(label)}; it has: ${known.join(', ') || 'none'}`,
    received: label,
    expected: known,
  });
}
