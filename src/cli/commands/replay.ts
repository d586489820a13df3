import { z } from 'zod';
import type { AnyDomain } from '../../domains/define-domain.ts';
import { toAppError } from '../../errors.ts';
import { queryNumber } from '../../http/terms/query-number.ts';
import { conventionalModelsDir } from '../../models/repository/models-dir.ts';
import { tensorTarget } from '../../predictions/performance/target.ts';
import {
  type LoggedPrediction,
  type ReplayReport,
  type ReplayRules,
  replay as replayPredictions,
} from '../../predictions/replay/replay.ts';
import { parseMoment } from '../../predictions/time-window.ts';
import { readSettings } from '../../settings.ts';
import { classNamesOf } from '../../tensor/class-names.ts';
import { exactJsonText } from '../../tensor/json/exact-json-text.ts';
import { defineCommand, flag, list, noOperands, text } from '../arguments/command.ts';
import { headers } from '../arguments/header.ts';
import { readEnvironment } from '../environment.ts';
import { type LocalVersion, withFoundDomain, withLocalVersion } from '../local-version.ts';
import { readDomains } from '../read-domains.ts';
import { replayAnswer } from './replay-answer.ts';
import { replayLines, type Verdict } from './replay-lines.ts';
import { predictionsOfServer, predictionsOfStorage } from './replay-source.ts';

const part = queryNumber(z.number().min(0).max(1)).optional();
const moment = z.string().refine((time) => parseMoment(time, 0) !== undefined, 'expected 24h, or a time of ISO 8601');
const versionNumber = z.string('expected the number of a version').regex(/^\d+$/, 'expected the number of a version');

const options = z.object({
  model: text('<name>', 'Model whose predictions are replayed', z.string('expected the name of a model')),
  version: text('<number>', 'Version that they are given to', versionNumber),
  since: text('<time>', 'From then on: 24h, 7d, or a time of ISO 8601 (default: 24h)', moment.default('24h')),
  until: text('<time>', 'Before then', moment.optional()),
  'from-version': text(
    '<number>',
    'Only what this version has answered (default: all versions)',
    z.string().optional(),
  ),
  limit: text(
    '<number>',
    'At most so many, the newest (default: 10000)',
    queryNumber(z.number().int().min(1)).default(10_000),
  ),
  url: text(
    '<url>',
    'Ask this server for the predictions (default: the database of DATABASE_URL or DATA_DIR)',
    z.url({ protocol: /^https?$/ }).optional(),
  ),
  header: list('<text>', 'Send this header, such as "Authorization: Bearer …"; may be given again', headers),
  domains: text(
    '<file>',
    'Module whose default export is a domain, or an array of them (default: those of the shipped models)',
    z.string().optional(),
  ),
  tolerance: text(
    '<number>',
    'How far apart numbers may be to agree, for regression (default: 0)',
    queryNumber(z.number().min(0)).default(0),
  ),
  'min-agreement': text('<number>', 'Least part of the answers that must be the same, from 0 to 1', part),
  'min-score': text('<number>', 'Least accuracy against the labels of feedback, from 0 to 1', part),
  json: flag('Write the report as JSON'),
});

type ReplayOptions = z.output<typeof options>;

/** Compares the answers of another version with those that were kept. */
export const replayCommand = defineCommand({
  name: 'replay',
  synopsis: '--model <name> --version <number>',
  about: `Gives the inputs of kept predictions to another version of their model, and compares the answers. The version is loaded
from MODELS_DIR into this process; no server needs to serve it. The exit code is 0 if the limits hold, 1 if they do not,
and 2 if nothing could be replayed. Without limits it is 1 if a prediction fails.`,
  options,
  operands: noOperands,
  async run(values) {
    try {
      const report = await replay(values);
      const verdict = judge(report, values);
      const json = { model: values.model, version: values.version, ...verdict, ...report };
      process.stdout.write(values.json ? `${exactJsonText(json, 2)}\n` : replayLines(report, verdict));
      if (report.replayed === 0) return 2;
      return verdict.passed ? 0 : 1;
    } catch (thrown) {
      process.stderr.write(`Nothing could be replayed: ${toAppError(thrown).message}\n`);
      return 2;
    }
  },
});

async function replay(values: ReplayOptions): Promise<ReplayReport> {
  const settings = readSettings(readEnvironment());
  const { modelName } = settings;
  const modelsDir = settings.modelsDir ?? (await conventionalModelsDir());
  const own = await readDomains(values.domains);
  const { model, version, url, tolerance } = values;
  const question = { ...values, fromVersion: values['from-version'] };
  return withLocalVersion({ modelsDir, modelName, model, version }, (local) => {
    const domains = withFoundDomain(own, local);
    const source =
      url === undefined
        ? predictionsOfStorage(settings, question)
        : predictionsOfServer(new URL(url), values.header, question);
    const answer = (prediction: LoggedPrediction) => replayAnswer(local, prediction, domains);
    return replayPredictions(source, answer, rulesOf(local, domains, tolerance));
  });
}

function rulesOf({ served }: LocalVersion, domains: readonly AnyDomain[], tolerance: number): ReplayRules {
  const { manifest, predictor } = served;
  const ofTensors = tensorTarget(manifest, predictor.signature);
  return {
    task: manifest.predictionLog.task,
    classNames: ofTensors === undefined ? undefined : classNamesOf(manifest.labels, ofTensors),
    tolerance,
    targetOf: ({ domain }) =>
      domain === null ? ofTensors : domains.find((candidate) => candidate.name === domain)?.target,
  };
}

function judge(
  { replayed, failed, agreement, score }: ReplayReport,
  { 'min-agreement': minAgreement, 'min-score': minScore }: ReplayOptions,
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
