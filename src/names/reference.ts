import { nearestName } from './nearest-name.ts';

/** A model, and which of its versions is meant. */
export interface ModelReference {
  readonly name: string;
  /** A version, or a label of one; absent where the model says which version answers. */
  readonly selector?: string;
}

/** `name`, `name@2`, `name:2`, `name@label` or `name:label`. */
export const referencePattern = /^(?<name>[A-Za-z0-9][A-Za-z0-9._-]{0,127})(?:[@:](?<selector>[^:@/]{1,128}))?$/;

/** Reads what {@link referencePattern} takes; undefined when it does not. */
export function parseReference(text: string): ModelReference | undefined {
  const { name, selector } = referencePattern.exec(text)?.groups ?? {};
  if (name === undefined) return undefined;
  return selector === undefined ? { name } : { name, selector };
}

/** The version that a selector means, or why there is none. */
export type SelectedVersion = { readonly version: string } | { readonly fault: string };

/**
 * Digits are a version, whatever labels there are; anything else is a label.
 *
 * @param versionLabels `versionLabels` of the manifest
 */
export function selectVersion(
  selector: string,
  versionLabels: Readonly<Record<string, number | string>>,
): SelectedVersion {
  if (/^[1-9][0-9]{0,18}$/.test(selector)) return { version: selector };
  const given = JSON.stringify(selector);
  if (/^[0-9]+$/.test(selector)) return { fault: `${given} is no version; expected a whole number from 1 up` };
  const version = Object.hasOwn(versionLabels, selector) ? versionLabels[selector] : undefined;
  if (version !== undefined) return { version: String(version) };
  const labels = Object.keys(versionLabels);
  const nearest = nearestName(selector, labels);
  const there = labels.length === 0 ? 'there are no labels' : `there are ${labels.join(', ')}`;
  return {
    fault: `there is no label ${given}; ${nearest === undefined ? there : `did you mean ${JSON.stringify(nearest)}?`}`,
  };
}
