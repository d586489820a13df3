import { type Arguments, readArguments } from './read-arguments.ts';

type Tool = (args: readonly string[]) => Promise<number>;

/** Commands that do their work and end, with the exit code; each reads its own arguments. No command loads another. */
const tools: ReadonlyMap<string, () => Promise<Tool>> = new Map([
  ['types', async () => (await import('./types.ts')).writeTypes],
  ['conformance', async () => (await import('./conformance.ts')).conformance],
  ['keys', async () => (await import('./keys.ts')).keys],
  ['replay', async () => (await import('./replay.ts')).replay],
  ['distribution', async () => (await import('./distribution.ts')).distribution],
]);

const usage = `Usage: inferd [command] [options]

Commands:
  serve                Serve the model repository (default)
  worker               Work on the background tasks of servers on the same DATABASE_URL
  types <url|folder>   Write TypeScript types for the models of a server or a folder
  conformance <url>    Examine a server of the Open Inference Protocol
  keys <command>       Make, list and revoke API keys
  replay               Give kept predictions to another version of their model
  distribution         Count the data that a model was trained on, to compare with
  help                 Show this text, as --help does
  version              Show the version, as --version does

Options of serve and worker:
  --domains <file>  Module whose default export is a domain of defineDomain, or an array of them: JavaScript, or
                    TypeScript whose types Node.js strips (default: the domains of the models that come along)

Options of the same, for containers whose settings are arguments:
  --model_dir   MODELS_DIR
  --model_name  MODEL_NAME
  --http_port   PORT

Settings come from the environment and from a file .env; docs/settings.md lists them.
`;

/**
 * Runs the command that the arguments name. The result is the exit code, or undefined while the process lives on. Nothing is
 * imported before the command is known: a server that is being imported can already be stopped.
 */
export async function run(args: readonly string[]): Promise<number | undefined> {
  const [name = 'serve', ...others] = args;
  const tool = tools.get(name);
  if (tool !== undefined) {
    await checkZod();
    return (await tool())(others);
  }

  const read = tryToRead(args);
  if (typeof read === 'string') {
    process.stderr.write(`${read}\n\n${usage}`);
    return 2;
  }
  const { command, settings, domains } = read;
  if (command === 'serve' || command === 'worker') {
    const { serve } = await import('./serve.ts');
    await serve({ settings, domains }, command === 'serve' ? 'server' : 'worker');
    return undefined;
  }
  await checkZod();
  if (command === 'help') {
    process.stdout.write(usage);
    return 0;
  }
  if (command === 'version') {
    const { packageVersion } = await import('./package-version.ts');
    process.stdout.write(`${packageVersion()}\n`);
    return 0;
  }
  process.stderr.write(`Unknown command ${JSON.stringify(command)}\n\n${usage}`);
  return 2;
}

async function checkZod(): Promise<void> {
  const { requireZod } = await import('../domains/require-zod.ts');
  requireZod();
}

function tryToRead(args: readonly string[]): Arguments | string {
  try {
    return readArguments(args);
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
