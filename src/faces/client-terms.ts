import { z } from 'zod';
import type { AnyDomain } from '../domains/define-domain.ts';

/** What the clients of a face rely on. */
export interface ClientTerms {
  /** The JSON Schema of an instance, without what is there for people alone. */
  readonly input: string;
  /** Every field of a result and every value that one is known to take, such as the names of classes. */
  readonly output: ReadonlySet<string>;
}

export function clientTerms({ input, output }: Pick<AnyDomain, 'input' | 'output'>): ClientTerms {
  const inputSchema = z.toJSONSchema(input, {
    io: 'input',
    unrepresentable: 'any',
    override: ({ jsonSchema }) => {
      delete jsonSchema.title;
      delete jsonSchema.description;
      delete jsonSchema.examples;
    },
  });
  const terms = new Set<string>();
  z.toJSONSchema(output, {
    unrepresentable: 'any',
    override: ({ jsonSchema, path }) => {
      for (const field of Object.keys(jsonSchema.properties ?? {})) terms.add(JSON.stringify([path, field]));
      for (const value of jsonSchema.enum ?? []) terms.add(JSON.stringify([path, 'enum', value]));
    },
  });
  return { input: JSON.stringify(inputSchema), output: terms };
}

/** Whether clients of the one face can go on with the other: the same instances, and results that lack nothing. */
export function keepsTerms(before: ClientTerms, next: ClientTerms): boolean {
  return before.input === next.input && [...before.output].every((term) => next.output.has(term));
}
