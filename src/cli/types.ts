import { parseArgs } from 'node:util';
import { ClientError } from '../client/index.ts';
import { describeRepository, describeServer } from './describe-models.ts';
import { readEnvironment } from './environment.ts';
import { modelTypes } from './model-types.ts';

const usage = `Usage: inferd types <url|folder> [--api-key <key>]

Writes TypeScript types for the models of a server or of a model repository.

Options:
  --api-key <key>  Key for the server, with the scopes infer and admin (default: INFERD_API_KEY)
`;

/**
 * Writes TypeScript types for the models of a server or of a model repository to standard output; what cannot be described
 * is named on standard error.
 *
 * @returns the exit code: 1 when a model is missing from the types, 2 when the arguments cannot be read
 */
export async function writeTypes(args: readonly string[]): Promise<number> {
  const read = readArguments(args);
  if (read === undefined) {
    process.stderr.write(usage);
    return 2;
  }
  const { source, apiKey = readEnvironment()['INFERD_API_KEY'] } = read;
  const isUrl = /^https?:\/\//.test(source);
  try {
    const { models, problems } = await (isUrl ? describeServer(source, apiKey) : describeRepository(source));
    process.stdout.write(modelTypes(models));
    for (const problem of problems) process.stderr.write(`inferd types: left out ${problem}\n`);
    return problems.length === 0 ? 0 : 1;
  } catch (thrown) {
    if (!(thrown instanceof ClientError)) throw thrown;
    process.stderr.write(`inferd types: ${thrown.message}\n`);
    return 1;
  }
}

function readArguments(args: readonly string[]): { source: string; apiKey: string | undefined } | undefined {
  try {
    const options = { 'api-key': { type: 'string' } } as const;
    const { values, positionals } = parseArgs({ args: [...args], options, allowPositionals: true });
    const [source, ...others] = positionals;
    return source === undefined || others.length > 0 ? undefined : { source, apiKey: values['api-key'] };
  } catch {
    return undefined;
  }
}
