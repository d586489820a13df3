import type { ModelSelector } from '../values/select-versions.ts';

/** The model of a request, in which an empty version stands for none. */
export function readSelector({ name, version }: { readonly name: string; readonly version: string }): ModelSelector {
  return { name, version: version === '' ? undefined : version };
}
