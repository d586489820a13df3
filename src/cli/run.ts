import { commands } from './commands.ts';

const flags: Readonly<Record<string, string>> = {
  '--help': 'help',
  '-h': 'help',
  '--version': 'version',
  '-v': 'version',
};

/**
 * Runs the command that the arguments name. The result is the exit code, or undefined while the process lives on. Nothing is
 * imported before the command is known: a server that is being imported can already be stopped.
 */
export async function run(args: readonly string[]): Promise<number | undefined> {
  const [first = 'serve', ...others] = args;
  const isOption = first.startsWith('-');
  const name = flags[first] ?? (isOption ? 'serve' : first);
  const command = commands.find((candidate) => candidate.name === name);
  if (command !== undefined) return command.run(name === 'serve' && isOption ? args : others);
  const { usageOfAll } = await import('./usage-of-all.ts');
  process.stderr.write(`Unknown command ${JSON.stringify(name)}\n\n${usageOfAll(commands)}`);
  return 2;
}
