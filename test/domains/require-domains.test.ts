import { describe, expect, it } from 'vitest';
import { z as mini } from 'zod/mini';
import { z as zod3 } from 'zod/v3';
import { requireDomains } from '../../src/domains/require-domains.ts';
import { AppError, createServer, defineDomain, z } from '../../src/index.ts';
import { petals } from '../fixtures/petals.ts';

const schemaOfZod3: unknown = zod3.object({ length: zod3.number() });
const zod3Message =
  "input: received a schema of zod 3, expected one of zod 4, such as those of `import { z } from 'inferd'`";

describe('defineDomain', () => {
  it('takes schemas of the z that comes along', () => {
    expect(defineDomain({ ...petals, input: z.strictObject({ length: z.number(), width: z.number() }) }).name).toBe(
      'petals',
    );
  });

  it('refuses a schema of zod 3 by name, which JavaScript does not see', () => {
    const definition = { ...petals, input: schemaOfZod3 as typeof petals.input };
    expect(() => defineDomain(definition)).toThrow(
      new AppError('DOMAIN_INVALID', { message: `"petals" is no domain: ${zod3Message}` }),
    );
  });
});

describe('createServer', () => {
  it('refuses a domain that was written without defineDomain, before it starts', async () => {
    const domain = { ...petals, input: schemaOfZod3 as typeof petals.input };
    const started = createServer({ domains: [domain], environment: { LOG_LEVEL: 'silent', PORT: 'not a port' } });
    await expect(started).rejects.toMatchObject({
      code: 'DOMAIN_INVALID',
      message: `domains: "petals" is no domain: ${zod3Message}`,
    });
  });
});

describe('requireDomains', () => {
  const refused: readonly [what: string, values: readonly unknown[], message: string][] = [
    ['text', ['petals'], 'here: number 1 is no domain: received string, expected what defineDomain gives'],
    ['nothing', [petals, undefined], 'here: number 2 is no domain: received undefined, expected'],
    [
      'a schema of zod/mini',
      [{ ...petals, output: mini.object({}) }],
      'output: received a schema of zod/mini, expected',
    ],
    ['JSON Schema', [{ ...petals, input: { type: 'object' } }], 'input: received an object, expected one of zod 4'],
    [
      'no example',
      [{ ...petals, examples: [] }],
      'here: "petals" is no domain: examples: expected a list of at least one instance',
    ],
    [
      'no function',
      [{ ...petals, decode: 'label' }],
      'here: "petals" is no domain: decode: received string, expected a function',
    ],
    ['two of one name', [petals, { ...petals }], 'here: the name "petals" is that of several domains'],
    [
      'several faults',
      [{ ...petals, model: '', encode: 1 }],
      'model: received "", expected text; encode: received number, expected a function',
    ],
  ];

  it.each(refused)('refuses %s', (_what, values, message) => {
    expect(() => requireDomains(values, 'here')).toThrow(message);
  });

  it('gives domains back as they are', () => {
    expect(requireDomains([petals], 'here')[0]).toBe(petals);
  });
});
