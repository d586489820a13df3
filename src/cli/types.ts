import { describeRepository, describeServer } from './describe-models.ts';
import { modelTypes } from './model-types.ts';

/**
 * Writes TypeScript types for the models of a server or of a model repository to standard output; what cannot be described
 * is named on standard error.
 *
 * @returns the exit code: 1 when a model is missing from the types
 */
export async function writeTypes([source]: readonly string[]): Promise<number> {
  if (source === undefined) {
    process.stderr.write('Usage: inferd types <url|folder>\n');
    return 2;
  }
  const isUrl = /^https?:\/\//.test(source);
  const { models, problems } = await (isUrl ? describeServer(source) : describeRepository(source));
  process.stdout.write(modelTypes(models));
  for (const problem of problems) process.stderr.write(`inferd types: left out ${problem}\n`);
  return problems.length === 0 ? 0 : 1;
}
