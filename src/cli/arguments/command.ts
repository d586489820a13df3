import { z } from 'zod';

/** What a schema of an option does not say: how the option is written, and what it is for. */
export interface OptionText {
  /** What stands behind the name in the usage, such as `<file>`; undefined for a flag. */
  readonly value: string | undefined;
  /** Whether it may be given more than once; its schema then reads a list. */
  readonly repeats: boolean;
  readonly about: string;
}

/** A command, from which its arguments are read, refused and explained. */
export interface CommandDefinition<Values = unknown, Operands = unknown> {
  readonly name: string;
  /** What stands behind the name in the usage, before the options. */
  readonly synopsis: string;
  /** What the command does, in lines. */
  readonly about: string;
  /** Reads the texts of the command line, by the names of the options; each is made by {@link text}, {@link list} or {@link flag}. */
  readonly options: OptionsSchema<Values>;
  /** Reads the arguments that are no options, as a list of texts. */
  readonly operands: z.ZodType<Operands>;
  /** The result is the exit code. */
  run(values: Values, operands: Operands): Promise<number>;
}

export type OptionsSchema<Values = unknown> = z.ZodType<Values> & { readonly shape: Readonly<z.ZodRawShape> };

const texts = z.registry<OptionText>();

/** The options of a command by their names. */
export function optionTexts({ shape }: OptionsSchema): readonly (readonly [name: string, text: OptionText])[] {
  return Object.entries(shape).map(([name, schema]) => {
    const known = texts.get(schema);
    if (known === undefined) throw new TypeError(`The option ${name} has no text`);
    return [name, known];
  });
}

/** Checks the types of a definition against each other, and gives it back. */
export function defineCommand<Values, Operands>(
  definition: CommandDefinition<Values, Operands>,
): CommandDefinition<Values, Operands> {
  return definition;
}

/** For commands that take options alone. */
export const noOperands = z.tuple([]);

/** An option with a value. */
export function text<Schema extends z.ZodType>(value: string, about: string, schema: Schema): Schema {
  return described(schema, { value, repeats: false, about });
}

/** An option with a value that may be given again. */
export function list<Schema extends z.ZodType>(value: string, about: string, schema: Schema): Schema {
  return described(schema, { value, repeats: true, about });
}

/** An option without a value. */
export function flag(about: string): z.ZodDefault<z.ZodBoolean> {
  return described(z.boolean().default(false), { value: undefined, repeats: false, about });
}

/** A schema of its own, since several options may be read by the same one. */
function described<Schema extends z.ZodType>(schema: Schema, about: OptionText): Schema {
  const own = schema.clone();
  texts.add(own, about);
  return own;
}
