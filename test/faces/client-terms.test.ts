import { expect, test } from 'vitest';
import { z } from 'zod';
import { clientTerms, keepsTerms } from '../../src/faces/client-terms.ts';

const input = z.object({ age: z.int().min(0).describe('In years'), title: z.enum(['Mr', 'Mrs']) });
const label = (...labels: string[]) => z.object({ label: z.enum(labels), probability: z.number() });
const keeps = (next: { input?: z.ZodType; output?: z.ZodType }) =>
  keepsTerms(
    clientTerms({ input, output: label('yes', 'no') }),
    clientTerms({ input, output: label('yes', 'no'), ...next }),
  );

test('clients can go on where only words for people differ, and where there are more labels', () => {
  expect(keeps({ input: z.object({ age: z.int().min(0), title: z.enum(['Mr', 'Mrs']).describe('Of address') }) })).toBe(
    true,
  );
  expect(keeps({ output: label('no', 'maybe', 'yes') })).toBe(true);
});

test('clients cannot go on where instances are others, or results lack a label or a field', () => {
  expect(keeps({ input: input.extend({ fare: z.number() }) })).toBe(false);
  expect(keeps({ input: input.extend({ title: z.string() }) })).toBe(false);
  expect(keeps({ input: input.omit({ title: true }) })).toBe(false);
  expect(keeps({ output: label('yes') })).toBe(false);
  expect(keeps({ output: label('yes', 'no').omit({ probability: true }) })).toBe(false);
});
