import { z } from 'zod';
import { ClientError } from '../../client/index.ts';
import { defineCommand, text } from '../arguments/command.ts';
import { readEnvironment } from '../environment.ts';
import { describeRepository, describeServer } from './describe-models.ts';
import { modelTypes } from './model-types.ts';

/**
 * Writes TypeScript types for the models of a server or of a model repository to standard output; what cannot be described
 * is named on standard error. The exit code is 1 when a model is missing from the types.
 */
export const typesCommand = defineCommand({
  name: 'types',
  synopsis: '<url|folder>',
  about: 'Writes TypeScript types for the models of a server or of a model repository.',
  options: z.object({
    'api-key': text(
      '<key>',
      'Key for the server, with the scopes infer and admin (default: INFERD_API_KEY)',
      z.string().optional(),
    ),
  }),
  operands: z.tuple([z.string()], 'Expected the address of a server, or a folder'),
  run: (values, [source]) => writeTypes(source, values['api-key'] ?? readEnvironment()['INFERD_API_KEY']),
});

async function writeTypes(source: string, apiKey: string | undefined): Promise<number> {
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
