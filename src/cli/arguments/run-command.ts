import { AppError } from '../../errors.ts';
import type { CommandDefinition } from './command.ts';
import { type ReadArguments, readArguments } from './read-arguments.ts';
import { usageOf } from './usage.ts';

/** Reads the arguments of a command and runs it; the result is the exit code, 2 for arguments that cannot be read. */
export async function runCommand<Values, Operands>(
  definition: CommandDefinition<Values, Operands>,
  args: readonly string[],
): Promise<number> {
  const read = readOrExplain(definition, args);
  return typeof read === 'number' ? read : definition.run(read.values, read.operands);
}

/** The arguments of a command; where they cannot be used as they are, writes why and how, and gives the exit code. */
export function readOrExplain<Values, Operands>(
  definition: Omit<CommandDefinition<Values, Operands>, 'run'>,
  args: readonly string[],
): Extract<ReadArguments<Values, Operands>, { asksForHelp: false }> | number {
  try {
    const read = readArguments(definition, args);
    if (!read.asksForHelp) return read;
    process.stdout.write(usageOf(definition));
    return 0;
  } catch (thrown) {
    if (!(thrown instanceof AppError)) throw thrown;
    process.stderr.write(`${thrown.message}\n\n${usageOf(definition)}`);
    return 2;
  }
}
