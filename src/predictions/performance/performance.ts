import { AppError } from '../../errors.ts';
import type { LoadedVersion } from '../../models/registry/loaded-version.ts';
import type { Registry } from '../../models/registry/registry.ts';
import { classNamesOf } from '../../tensor/class-names.ts';
import { readKept } from '../recording/kept-text.ts';
import type { PredictionService } from '../service.ts';
import type { DayCount, PredictionFilter } from '../store.ts';
import { currentFeedback, type StoredPrediction } from '../stored-prediction.ts';
import { parseWindow, type TimeWindow } from '../time-window.ts';
import { type Distribution, distributionOf, type InputsAndOutputs } from './distribution.ts';
import { readDistribution } from './distribution-file.ts';
import { type Drift, driftFrom } from './drift.ts';
import { type JudgedAnswer, type Score, type ScoringRules, scoreOf } from './score.ts';
import { tensorTarget } from './target.ts';

export interface PerformanceQuestion {
  readonly model: string;
  /** Undefined: all of them for the scores, and the highest that is loaded for the distributions. */
  readonly version: string | undefined;
  readonly window: TimeWindow;
  /** `training`, or an earlier stretch of time. */
  readonly reference: string;
  /** Most predictions that distributions are made of, the newest. */
  readonly sample: number;
}

export interface PerformanceDependencies {
  readonly predictions: PredictionService;
  readonly registry: Registry;
  readonly modelsDir: string;
  /** Field of the results of a domain that is the answer proper, by the name of the domain. */
  readonly targets: Pick<ReadonlyMap<string, string>, 'get'>;
}

/** A version on a day, or on all days. */
export type ScoredCount = Omit<DayCount, 'day'> & Score;

export interface Performance {
  readonly versions: readonly ScoredCount[];
  readonly days: readonly (ScoredCount & { readonly day: string })[];
  /** Undefined when there is no data of the training to compare with. */
  readonly drift: ComparedDistributions | undefined;
}

export interface ComparedDistributions extends Drift {
  readonly reference: { readonly source: string; readonly count: number };
  readonly current: { readonly version: string; readonly domain: string | null; readonly count: number };
}

/** Most judged predictions that scores are made of, the newest. */
const maxJudged = 100_000;

/**
 * How good a model was, and how much what it is asked and answers has changed.
 *
 * @throws AppError `MODEL_NOT_FOUND`, `VERSION_NOT_FOUND`, `REFERENCE_NOT_FOUND`, `STORAGE_UNAVAILABLE`
 */
export async function performanceOf(
  question: PerformanceQuestion,
  dependencies: PerformanceDependencies,
): Promise<Performance> {
  const { model, version, window } = question;
  const served = loadedVersion(dependencies.registry, model, version);
  const filter = { model, version, ...window };
  const counts = await dependencies.predictions.countByDay(filter);
  const judged = await collect(dependencies.predictions, { ...filter, hasFeedback: true, status: 'OK' }, maxJudged);
  const rules = scoringRules(served, judged, dependencies.targets);
  const scored = (rows: readonly DayCount[], answers: readonly StoredPrediction[]) => ({
    predictions: total(rows, 'predictions'),
    errors: total(rows, 'errors'),
    judged: total(rows, 'judged'),
    ...scoreOf(
      answers.map((answer) => judgedAnswer(answer, rules)),
      rules,
    ),
  });
  const judgedByVersion = Map.groupBy(judged, (answer) => answer.version);
  const judgedByDay = Map.groupBy(judged, (answer) => versionDay(answer.version, dayText(answer)));
  return {
    versions: [...Map.groupBy(counts, (count) => count.version)].map(([name, rows]) => ({
      version: name,
      ...scored(rows, judgedByVersion.get(name) ?? []),
    })),
    days: counts.map((count) => ({
      day: count.day,
      version: count.version,
      ...scored([count], judgedByDay.get(versionDay(count.version, count.day)) ?? []),
    })),
    drift: await compare(question, served, dependencies),
  };
}

async function compare(
  question: PerformanceQuestion,
  { name, version }: LoadedVersion,
  dependencies: PerformanceDependencies,
): Promise<ComparedDistributions | undefined> {
  const { predictions, modelsDir } = dependencies;
  const newest = (window: TimeWindow) =>
    collect(predictions, { model: name, version, status: 'OK', ...window }, question.sample);
  const reference =
    question.reference === 'training'
      ? await readDistribution(modelsDir, name, version)
      : earlier(await newest(earlierWindow(question)), question.reference);
  if (reference === undefined) return undefined;
  const { source, count, domain } = reference;
  const rows = (await newest(question.window)).filter((row) => row.domain === domain).map(readValues);
  return {
    reference: { source, count },
    current: { version, domain, count: rows.length },
    ...driftFrom(reference, rows),
  };
}

function earlierWindow({ reference, window }: PerformanceQuestion): TimeWindow {
  const earlier = parseWindow(reference, window.untilMs);
  if (earlier !== undefined) return earlier;
  throw new AppError('VALIDATION_FAILED', {
    message: `reference: expected training or <since>/<until>`,
    received: reference,
  });
}

/** The distribution of an earlier time, in the terms that most of its predictions are in. */
function earlier(rows: readonly StoredPrediction[], reference: string): Distribution {
  const byDomain = [...Map.groupBy(rows, (row) => row.domain)].sort(([, a], [, b]) => b.length - a.length);
  const [most] = byDomain;
  if (most === undefined) {
    throw new AppError('REFERENCE_NOT_FOUND', {
      message: `There are no predictions from ${reference}`,
      received: reference,
    });
  }
  const [domain, ofDomain] = most;
  return distributionOf(ofDomain.map(readValues), { source: `predictions from ${reference}`, domain });
}

/** The version asked for, else the one that answers. */
function loadedVersion(registry: Registry, model: string, version: string | undefined): LoadedVersion {
  if (version !== undefined) return registry.getVersion(model, version);
  const { versions, served } = registry.get(model);
  const loaded = served ?? versions[0];
  if (loaded !== undefined) return loaded;
  throw new AppError('VERSION_NOT_FOUND', { message: `The model ${model} has no version`, received: version });
}

async function collect(predictions: PredictionService, filter: PredictionFilter, limit: number) {
  const rows: StoredPrediction[] = [];
  for await (const page of predictions.pages(filter, limit)) rows.push(...page);
  return rows;
}

interface TargetRules extends ScoringRules {
  /** Output of the tensors that is the answer proper. */
  readonly tensorTarget: string | undefined;
  readonly targets: Pick<ReadonlyMap<string, string>, 'get'>;
}

function scoringRules(
  { manifest, predictor }: LoadedVersion,
  judged: readonly StoredPrediction[],
  targets: Pick<ReadonlyMap<string, string>, 'get'>,
): TargetRules {
  const ofTensors = tensorTarget(manifest, predictor?.signature);
  const domain = judged.find((answer) => answer.domain !== null)?.domain ?? undefined;
  const named = [ofTensors, domain === undefined ? undefined : targets.get(domain)];
  const classNames = named
    .map((name) => (name === undefined ? undefined : classNamesOf(manifest.labels, name)))
    .find((names) => names);
  return { task: manifest.predictionLog.task, classNames, tensorTarget: ofTensors, targets };
}

function judgedAnswer(answer: StoredPrediction, { tensorTarget: ofTensors, targets }: TargetRules): JudgedAnswer {
  const { domain } = answer;
  const outputs = readKept(answer.outputs);
  const target = domain === null ? ofTensors : targets.get(domain);
  const fields = typeof outputs === 'object' && outputs !== null ? Object.entries(outputs) : [];
  const predicted: unknown = fields.find(([name]) => name === target)?.[1];
  const { label, score } = currentFeedback(answer.feedback) ?? {};
  return { predicted, label, score };
}

function readValues({ inputs, outputs }: StoredPrediction): InputsAndOutputs {
  return { inputs: readKept(inputs), outputs: readKept(outputs) };
}

function total(rows: readonly DayCount[], what: 'predictions' | 'errors' | 'judged'): number {
  return rows.reduce((sum, row) => sum + row[what], 0);
}

function versionDay(version: string | null, day: string): string {
  return JSON.stringify([version, day]);
}

function dayText({ at }: StoredPrediction): string {
  return at.toISOString().slice(0, 10);
}
