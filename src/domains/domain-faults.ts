// Without zod, so that it can say so when the zod that is installed is not the one that inferd needs.

/** What keeps a value from being a domain; empty if nothing does. */
export function domainFaults(value: unknown): readonly string[] {
  if (typeof value !== 'object' || value === null)
    return [`received ${typeof value}, expected what defineDomain gives`];
  const members = new Map<string, unknown>(Object.entries(value));
  return Object.entries(faultOfMember).flatMap(([name, faultOf]) => {
    const fault = faultOf(members.get(name));
    return fault === undefined ? [] : [`${name}: ${fault}`];
  });
}

const faultOfMember: Readonly<Record<string, (value: unknown) => string | undefined>> = {
  name: textFault,
  model: textFault,
  summary: textFault,
  input: schemaFault,
  output: schemaFault,
  examples: (value) =>
    Array.isArray(value) && value.length > 0 ? undefined : 'expected a list of at least one instance',
  encode: functionFault,
  decode: functionFault,
};

function textFault(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? undefined : `received ${JSON.stringify(value)}, expected text`;
}

function functionFault(value: unknown): string | undefined {
  return typeof value === 'function' ? undefined : `received ${typeof value}, expected a function`;
}

/** Schemas of every zod have `_def`, those of zod 4 have `_zod`, and only those of its main entry have methods. */
function schemaFault(value: unknown): string | undefined {
  const expected = "expected one of zod 4, such as those of `import { z } from 'inferd'`";
  if (typeof value !== 'object' || value === null) return `received ${typeof value}, ${expected}`;
  if ('_zod' in value) return 'describe' in value ? undefined : `received a schema of zod/mini, ${expected}`;
  return `received ${'_def' in value ? 'a schema of zod 3' : 'an object'}, ${expected}`;
}
