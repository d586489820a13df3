import { z } from 'zod';

const fn = z.custom((value) => typeof value === 'function', 'expected a function');
const name = z.string('expected text').min(1, 'expected text, received none');
const schema = z.unknown().check(({ value, issues }) => {
  const message = schemaFault(value);
  if (message !== undefined) issues.push({ code: 'custom', message, input: value });
});

const domainShape = z.looseObject({
  name,
  model: name,
  summary: z.string('expected text'),
  input: schema,
  output: schema,
  examples: z.array(z.unknown(), 'expected a list of instances').min(1, 'expected at least one instance'),
  encode: fn,
  decode: fn,
});

/** What keeps a value from being a domain; empty if nothing does. */
export function domainFaults(value: unknown): readonly string[] {
  if (typeof value !== 'object' || value === null)
    return [`received ${typeof value}, expected what defineDomain gives`];
  const { error } = domainShape.safeParse(value);
  return (error?.issues ?? []).map(({ path, message }) => `${path.join('.')}: ${message}`);
}

/** Schemas of every zod have `_def`, those of zod 4 have `_zod`, and only those of its main entry have methods. */
function schemaFault(value: unknown): string | undefined {
  const expected = "expected one of zod 4, such as those of `import { z } from 'inferd'`";
  if (typeof value !== 'object' || value === null) return `received ${typeof value}, ${expected}`;
  if ('_zod' in value) return 'describe' in value ? undefined : `received a schema of zod/mini, ${expected}`;
  return `received ${'_def' in value ? 'a schema of zod 3' : 'an object'}, ${expected}`;
}
