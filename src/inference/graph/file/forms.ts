import { type KeyedForms, keyedForms, plainKeys } from '../graph-definition.ts';

/** A path in the file. */
export type Path = readonly (string | number)[];

/** The forms that what stands at a path of the file may have; undefined where it has one. */
export function formsAt(path: Path): KeyedForms | undefined {
  if (path[0] !== 'steps') return undefined;
  if (path.length === 2) return keyedForms.step;
  const parent = path.at(-2);
  const last = path.at(-1);
  if (path.length === 4 && parent === 'switch') return keyedForms.arm;
  if (path.length === 3 && last === 'otherwise') return keyedForms.otherwise;
  if (parent === 'in' || parent === 'use') return keyedForms.wire;
  return last === 'fallback' ? keyedForms.fallback : undefined;
}

export type ChosenForm =
  | { readonly branch: number; readonly keys: readonly string[] }
  /** Why none can be chosen. */
  | { readonly fault: string };

/** Which form a value has: its keys tell, also one that is nearly right. */
export function chooseForm(
  { what, branches }: KeyedForms,
  value: unknown,
  nearest: (mistyped: string, names: readonly string[]) => string | undefined,
): ChosenForm | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
  const tellers = branches.map(({ key }) => key).filter((key) => key !== undefined);
  const expected = `${what} has one of ${tellers.map((key) => JSON.stringify(key)).join(', ')}`;
  const there = tellers.filter((key) => Object.hasOwn(value, key));
  if (there.length > 1) {
    return { fault: `found ${there.map((key) => JSON.stringify(key)).join(' and ')}; ${expected}` };
  }
  const known = branches.flatMap(({ keys }) => keys);
  const unknown = Object.keys(value).filter((key) => !known.includes(key));
  const [key] = [...there, ...unknown.map((mistyped) => nearest(mistyped, tellers))].filter(
    (name) => name !== undefined,
  );
  const branch =
    key === undefined && tellers.length > 1 ? -1 : branches.findIndex((form) => form.key === (key ?? tellers[0]));
  const keys = branches[branch]?.keys;
  if (keys !== undefined) return { branch, keys };
  const found = Object.keys(value).map((name) => JSON.stringify(name));
  return { fault: `found ${found.join(', ') || 'no key'}; ${expected}` };
}

/** The keys that an object at a path may have; undefined where any. */
export function keysAt(path: Path): readonly string[] | undefined {
  if (path.length === 0) return plainKeys.graph;
  return path.length === 2 && path[0] === 'inputs' ? plainKeys.input : undefined;
}
