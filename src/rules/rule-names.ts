import type { RuleScope } from '../inference/graph/rules.ts';
import { RuleError } from '../inference/graph/rules.ts';
import { nearestName } from '../names/nearest-name.ts';
import type { TensorSpec } from '../tensor/tensor.ts';

/** What a name of a rule stands for. */
export type RuleName =
  | { readonly kind: 'tensor'; readonly step: string; readonly spec: TensorSpec }
  | { readonly kind: 'header'; readonly header: string }
  | { readonly kind: 'key'; readonly field: 'id' | 'name' };

/**
 * Finds what `base.name` stands for.
 *
 * @throws RuleError that names the nearest right one when there is no such name
 */
export function findName(base: string, name: string, scope: RuleScope): RuleName {
  if (base === 'headers') {
    if (scope.headers.includes(name)) return { kind: 'header', header: name };
    const declared = `"headers" of the graph ${scope.headers.length === 0 ? 'is empty' : `has ${scope.headers.join(', ')}`}`;
    throw new RuleError(`the header ${JSON.stringify(name)} is not declared; ${declared}${meant(name, scope.headers)}`);
  }
  if (base === 'key') {
    if (name === 'id' || name === 'name') return { kind: 'key', field: name };
    throw new RuleError(`key has no ${JSON.stringify(name)}; it has id and name`);
  }
  const specs = scope.tensors.get(base) ?? [];
  const spec = specs.find((tensor) => tensor.name === name);
  if (spec !== undefined) return { kind: 'tensor', step: base, spec };
  const names = specs.map((tensor) => tensor.name);
  const has = names.length === 0 ? 'it has nothing that a rule can read' : `it has ${names.join(', ')}`;
  throw new RuleError(`${base} has no ${JSON.stringify(name)}; ${has}${meant(name, names)}`);
}

/** Whether a name has others behind its point. */
export function isBase(name: string, scope: RuleScope): boolean {
  return name === 'headers' || name === 'key' || scope.tensors.has(name);
}

/** @throws RuleError always: what a name that has others needs behind it */
export function refuseBare(base: string): never {
  if (base === 'headers')
    throw new RuleError(`headers stands alone; write headers['name'], which is "" where the request has none`);
  if (base === 'key') throw new RuleError('key stands alone; write key.id or key.name');
  throw new RuleError(`${base} stands alone; write ${base}.name, of a name that stands in the rule`);
}

/** @throws RuleError always */
export function refuseUnknown(name: string, what: string, known: Iterable<string>): never {
  throw new RuleError(`there is no ${what} ${JSON.stringify(name)}${meant(name, known)}`);
}

function meant(name: string, known: Iterable<string>): string {
  const nearest = nearestName(name, known);
  return nearest === undefined ? '' : `; did you mean ${JSON.stringify(nearest)}?`;
}
