import { parseArgs } from 'node:util';
import { z } from 'zod';
import type { AnyDomain } from '../domains/define-domain.ts';
import { toAppError } from '../errors.ts';
import { queryNumber } from '../http/terms/query-number.ts';
import { conventionalModelsDir } from '../models/models-dir.ts';
import { tensorTarget } from '../predictions/performance/target.ts';
import {
  type LoggedPrediction,
  type ReplayReport,
  type ReplayRules,
  replay as replayPredictions,
} from '../predictions/replay/replay.ts';
import { parseMoment } from '../predictions/time-window.ts';
import { readSettings } from '../settings.ts';
import { exactJsonText } from '../tensor/exact-json-text.ts';
import { readEnvironment } from './environment.ts';
import { type LocalVersion, withLocalVersion } from './local-version.ts';
import { readDomains } from './read-domains.ts';
import { readHeader } from './read-header.ts';
import { replayAnswer } from './replay-answer.ts';
import { replayLines, type Verdict } from './replay-lines.ts';
import { predictionsOfServer, predictionsOfStorage } from './replay-source.ts';

export const replayUsage = `Usage: inferd replay --model <name> --version <number> [options]

Gives the inputs of kept predictions to another version of their model, and compares the answers. The version is loaded
from MODELS_DIR into this process; no server needs to serve it. The exit code is 0 if the limits hold, 1 if they do not,
and 2 if nothing could be replayed. Without limits it is 1 if a prediction fails.

Options:
  --since <time>            From then on: 24h, 7d, or a time of ISO 8601 (default: 24h)
  --until <time>            Before then
  --from-version <number>   Only what this version has answered (default: all versions)
  --limit <number>          At most so many, the newest (default: 10000)
  --url <url>               Ask this server for the predictions (default: the database of DATABASE_URL or DATA_DIR)
  --header <text>           Send this header, such as "Authorization: Bearer …"; may be given again
  --domains <file>          Module whose default export is a domain, or an array of them (default: those that come along)
  --tolerance <number>      How far apart numbers may be to agree, for regression (default: 0)
  --min-agreement <number>  Least part of the answers that must be the same, from 0 to 1
  --min-score <number>      Least accuracy against the labels of feedback, from 0 to 1
  --json                    Write the report as JSON
`;

/** `inferd replay`; the result is the exit code. */
export async function replay(args: readonly string[]): Promise<number> {
  const command = readCommand(args);
  if (typeof command === 'string') {
    process.stderr.write(`${command}\n\n${replayUsage}`);
    return 2;
  }
  try {
    const report = await run(command);
    const verdict = judge(report, command);
    const json = { model: command.model, version: command.version, ...verdict, ...report };
    process.stdout.write(command.json ? `${exactJsonText(json, 2)}\n` : replayLines(report, verdict));
    if (report.replayed === 0) return 2;
    return verdict.passed ? 0 : 1;
  } catch (thrown) {
    process.stderr.write(`Nothing could be replayed: ${toAppError(thrown).message}\n`);
    return 2;
  }
}

async function run(command: ReplayCommand): Promise<ReplayReport> {
  const settings = readSettings(readEnvironment());
  const { modelName } = settings;
  const modelsDir = settings.modelsDir ?? (await conventionalModelsDir());
  const domains = await readDomains(command.domains);
  const { model, version, url, headers } = command;
  return withLocalVersion({ modelsDir, modelName, model, version }, (local) => {
    const source =
      url === undefined ? predictionsOfStorage(settings, command) : predictionsOfServer(url, headers, command);
    const answer = (prediction: LoggedPrediction) => replayAnswer(local, prediction, domains);
    return replayPredictions(source, answer, rulesOf(local, domains, command.tolerance));
  });
}

function rulesOf({ served }: LocalVersion, domains: readonly AnyDomain[], tolerance: number): ReplayRules {
  const { manifest, predictor } = served;
  const ofTensors = tensorTarget(manifest, predictor.signature);
  return {
    task: manifest.predictionLog.task,
    classNames: ofTensors === undefined ? undefined : manifest.labels[ofTensors],
    tolerance,
    targetOf: ({ domain }) =>
      domain === null ? ofTensors : domains.find((candidate) => candidate.name === domain)?.target,
  };
}

function judge(
  { replayed, failed, agreement, score }: ReplayReport,
  { minAgreement, minScore }: ReplayCommand,
): Verdict {
  const { accuracy, labelled } = score.replayed;
  if (replayed === 0) return { passed: false, reasons: ['there was nothing to replay'] };
  const reasons: string[] = [];
  if (failed > 0 && minAgreement === undefined) reasons.push(`${failed} predictions failed`);
  if (minAgreement !== undefined && (agreement ?? 0) < minAgreement) {
    reasons.push(`agreement is ${agreement ?? 'unknown'}, expected at least ${minAgreement}`);
  }
  if (minScore !== undefined && (accuracy ?? 0) < minScore) {
    reasons.push(`accuracy is ${accuracy ?? 'unknown'} on ${labelled} labels, expected at least ${minScore}`);
  }
  return { passed: reasons.length === 0, reasons };
}

const part = queryNumber(z.number().min(0).max(1)).optional();
const moment = z.string().refine((text) => parseMoment(text, 0) !== undefined, 'expected 24h, or a time of ISO 8601');

const commandSchema = z
  .object({
    model: z.string('expected the name of a model'),
    version: z.string('expected the number of a version').regex(/^\d+$/, 'expected the number of a version'),
    since: moment.default('24h'),
    until: moment.optional(),
    'from-version': z.string().optional(),
    limit: queryNumber(z.number().int().min(1)).default(10_000),
    url: z.url({ protocol: /^https?$/ }).optional(),
    header: z.array(z.string()).default([]),
    domains: z.string().optional(),
    tolerance: queryNumber(z.number().min(0)).default(0),
    'min-agreement': part,
    'min-score': part,
    json: z.boolean().default(false),
  })
  .transform(({ url, header, ...values }) => ({
    ...values,
    fromVersion: values['from-version'],
    minAgreement: values['min-agreement'],
    minScore: values['min-score'],
    url: url === undefined ? undefined : new URL(url),
    headers: Object.fromEntries(header.map(readHeader)),
  }));

type ReplayCommand = z.output<typeof commandSchema>;

function readCommand(args: readonly string[]): ReplayCommand | string {
  try {
    const text = { type: 'string' } as const;
    const { values } = parseArgs({
      args: [...args],
      options: {
        model: text,
        version: text,
        since: text,
        until: text,
        'from-version': text,
        limit: text,
        url: text,
        header: { type: 'string', multiple: true },
        domains: text,
        tolerance: text,
        'min-agreement': text,
        'min-score': text,
        json: { type: 'boolean' },
      },
    });
    const parsed = commandSchema.safeParse(values);
    if (parsed.success) return parsed.data;
    return parsed.error.issues.map(({ path, message }) => `--${path.join('.')}: ${message}`).join('; ');
  } catch (thrown) {
    return toAppError(thrown).message;
  }
}
