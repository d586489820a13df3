import { type ParseArgsConfig, parseArgs } from 'node:util';
import type { z } from 'zod';
import { AppError } from '../../errors.ts';
import { type CommandDefinition, type OptionsSchema, optionTexts } from './command.ts';

/** What the arguments of a command ask for. */
export type ReadArguments<Values, Operands> =
  | { readonly asksForHelp: true }
  | { readonly asksForHelp: false; readonly values: Values; readonly operands: Operands };

/**
 * Reads the arguments that stand behind the name of a command.
 *
 * @throws AppError `SETTINGS_INVALID` with every bad option and its value
 */
export function readArguments<Values, Operands>(
  { name, options, operands }: Omit<CommandDefinition<Values, Operands>, 'run'>,
  args: readonly string[],
): ReadArguments<Values, Operands> {
  const given = parse(options, args);
  if (given.values['help'] === true) return { asksForHelp: true };
  const values = options.safeParse(given.values);
  if (!values.success) throw invalid(values.error.issues.map((issue) => optionFault(issue, given.values)).join('; '));
  const others = operands.safeParse(given.positionals);
  if (!others.success) throw invalid(operandFault(name, others.error, given.positionals));
  return { asksForHelp: false, values: values.data, operands: others.data };
}

function parse(options: OptionsSchema, args: readonly string[]) {
  const config: NonNullable<ParseArgsConfig['options']> = { help: { type: 'boolean', short: 'h' } };
  for (const [name, { value, repeats }] of optionTexts(options)) {
    config[name] = { type: value === undefined ? 'boolean' : 'string', multiple: repeats };
  }
  try {
    return parseArgs({ args: [...args], options: config, allowPositionals: true });
  } catch (cause) {
    throw invalid(cause instanceof Error ? cause.message : String(cause));
  }
}

function optionFault({ path, message }: z.core.$ZodIssue, given: Readonly<Record<string, unknown>>): string {
  const [name] = path;
  const received = given[String(name)];
  return `--${String(name)}: ${message}${received === undefined ? '' : `, received ${JSON.stringify(received)}`}`;
}

function operandFault(name: string, { issues }: z.ZodError, given: readonly string[]): string {
  const tooMany = issues.find(({ code }) => code === 'too_big');
  const extra = tooMany?.code === 'too_big' ? given[Number(tooMany.maximum)] : undefined;
  if (extra === undefined) return issues.map(({ message }) => message).join('; ');
  const others = given.length === 1 ? 'options alone' : `${given.length - 1} argument`;
  return `${name} takes ${others}, received ${JSON.stringify(extra)}`;
}

function invalid(message: string): AppError {
  return new AppError('SETTINGS_INVALID', { message });
}
