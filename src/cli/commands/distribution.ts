import { createReadStream } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import type { AnyDomain } from '../../domains/define-domain.ts';
import { toAppError } from '../../errors.ts';
import { conventionalModelsDir } from '../../models/repository/models-dir.ts';
import { distributionOf, type InputsAndOutputs } from '../../predictions/performance/distribution.ts';
import { distributionFileName } from '../../predictions/performance/distribution-file.ts';
import { readKept } from '../../predictions/recording/kept-text.ts';
import { keptJson } from '../../predictions/recording/kept-value.ts';
import { readSettings } from '../../settings.ts';
import { readJsonLines } from '../../tabular/json-lines.ts';
import { defineCommand, noOperands, text } from '../arguments/command.ts';
import { readEnvironment } from '../environment.ts';
import { type LocalVersion, withFoundDomain, withLocalVersion } from '../local-version.ts';
import { readDomains } from '../read-domains.ts';
import { replayAnswer } from './replay-answer.ts';

const domainsAbout =
  'Module whose default export is a domain, or an array of them (default: those of the shipped models)';

const options = z.object({
  model: text('<name>', 'Model that the data is given to', z.string('expected the name of a model')),
  instances: text(
    '<file>',
    'JSON Lines, an instance each: as the predict route of its domain takes it, or the inputs of one row by name; ' +
      '- reads standard input',
    z.string('expected a file, or - for standard input'),
  ),
  version: text('<number>', 'Default: the highest there is', z.string().optional()),
  domains: text('<file>', domainsAbout, z.string().optional()),
  source: text('<text>', 'What the data is, such as "891 passengers (train.csv)"', z.string().optional()),
});

type DistributionOptions = z.output<typeof options>;

/** Writes the distribution of the data of a model beside it. */
export const distributionCommand = defineCommand({
  name: 'distribution',
  synopsis: '--model <name> --instances <file>',
  about: `Runs the instances of a file through a version of a model, and writes how inputs and outputs are distributed to
${distributionFileName} beside the model. Give it the data that the model was trained on: GET /models/<name>/performance
compares with it.`,
  options,
  operands: noOperands,
  async run(values) {
    try {
      process.stdout.write(`${await writeDistribution(values)}\n`);
      return 0;
    } catch (thrown) {
      process.stderr.write(`No distribution was written: ${toAppError(thrown).message}\n`);
      return 1;
    }
  },
});

async function writeDistribution({ model, instances, version, source, domains }: DistributionOptions): Promise<string> {
  const { modelName, ...settings } = readSettings(readEnvironment());
  const modelsDir = settings.modelsDir ?? (await conventionalModelsDir());
  const own = await readDomains(domains);
  return withLocalVersion({ modelsDir, modelName, model, version }, async (local) => {
    const domain = withFoundDomain(own, local).find((candidate) => candidate.model === model);
    const rows: InputsAndOutputs[] = [];
    for await (const chunk of chunks(instances)) {
      rows.push(...(await Promise.all(chunk.map((line) => answered(local, domain, line)))));
    }
    const about = { source: source ?? `${rows.length} instances`, domain: domain?.name ?? null };
    const path = join(modelsDir, model, local.served.version, distributionFileName);
    await writeFile(path, `${JSON.stringify(distributionOf(rows, about), undefined, 2)}\n`);
    return `${path}: ${rows.length} instances`;
  });
}

const chunkLines = 64;
const keepAll = { redact: new Set<string>(), keepsFiles: false, maxBytes: Number.POSITIVE_INFINITY };

async function* chunks(path: string): AsyncGenerator<string[]> {
  const input = path === '-' ? process.stdin : createReadStream(path);
  let chunk: string[] = [];
  for await (const line of readJsonLines(input)) {
    chunk.push(line);
    if (chunk.length < chunkLines) continue;
    yield chunk;
    chunk = [];
  }
  if (chunk.length > 0) yield chunk;
}

/** The inputs and outputs of an instance as the prediction log has them. */
async function answered(local: LocalVersion, domain: AnyDomain | undefined, line: string): Promise<InputsAndOutputs> {
  const inputs = readKept(line);
  const answer = await replayAnswer(
    local,
    { domain: domain?.name ?? null, inputs },
    domain === undefined ? [] : [domain],
  );
  if (answer.kind !== 'answer') throw new Error(`${line.slice(0, 200)}: ${answer.message}`);
  // How a file was encoded says nothing of what the model has seen.
  if (domain?.file !== undefined) return { inputs: {}, outputs: answer.outputs };
  return { inputs: readKept(keptJson(domain?.input.parse(inputs) ?? inputs, keepAll)), outputs: answer.outputs };
}
