import { serve } from './serve.ts';

const usage = `Usage: inferd [command]

Commands:
  serve   Serve the model repository (default)
  help    Show this text

Settings come from the environment and from a file .env; README.md lists them.
`;

/** Runs the command that the arguments name. The result is the exit code, or undefined while the process lives on. */
export async function run(args: readonly string[]): Promise<number | undefined> {
  const [command = 'serve'] = args;
  if (command === 'serve') {
    await serve();
    return undefined;
  }
  if (command === 'help' || command === '--help' || command === '-h') {
    process.stdout.write(usage);
    return 0;
  }
  process.stderr.write(`Unknown command ${JSON.stringify(command)}\n\n${usage}`);
  return 2;
}
