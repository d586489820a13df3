import { isDeepStrictEqual } from 'node:util';
import { bareValue, isRight, type JudgedAnswer, type Score, type ScoringRules, scoreOf } from '../performance/score.ts';
import { isWhole } from '../recording/kept-value.ts';
import type { PredictionBody } from '../schemas.ts';
import { type Percentiles, percentiles } from './percentiles.ts';

/** A kept prediction as the API and the export have it, as far as a replay needs it. */
export type LoggedPrediction = Pick<PredictionBody, 'id' | 'domain' | 'inputs' | 'outputs' | 'phases' | 'feedback'> & {
  /** What the request said beside the instance; missing where none were kept. */
  readonly options?: Readonly<Record<string, unknown>> | null | undefined;
};

/** What another version makes of the inputs of a prediction. */
export type ReplayedAnswer =
  | { readonly kind: 'answer'; readonly outputs: unknown; readonly totalMs: number }
  /** The version refused the inputs, or failed. */
  | { readonly kind: 'failure'; readonly message: string }
  /** This program cannot make tensors of the inputs, whatever the version. */
  | { readonly kind: 'not_understood'; readonly message: string };

/** How the answers of a model are compared and scored. */
export interface ReplayRules extends ScoringRules {
  /** Field of the outputs that is the answer proper; undefined: all of them are. */
  targetOf(prediction: LoggedPrediction): string | undefined;
  /** How far apart numbers may be to agree, for regression. */
  readonly tolerance: number;
}

export interface ChangedAnswer {
  readonly id: string;
  readonly inputs: unknown;
  readonly logged: unknown;
  readonly replayed: unknown;
  /** The true answer, where feedback has it. */
  readonly label?: unknown;
}

export interface ReplayReport {
  /** Predictions that the version was given. */
  readonly replayed: number;
  readonly agreed: number;
  /** Part of the replayed ones; null when there are none. */
  readonly agreement: number | null;
  /** Predictions that the version could not answer; they do not agree. */
  readonly failed: number;
  readonly skipped: {
    /** Their inputs were redacted, too large, or files of which only the digest was kept. */
    readonly inputs_not_kept: number;
    /** Their inputs are in terms that this program does not know. */
    readonly not_understood: number;
  };
  /** The first reasons why predictions were not understood, each once. */
  readonly not_understood: readonly string[];
  /** The first of the answers that changed. */
  readonly changed: readonly ChangedAnswer[];
  /** The first reasons of failures. */
  readonly failures: readonly string[];
  /** Of the same predictions, those with feedback. */
  readonly score: { readonly logged: Score; readonly replayed: Score };
  readonly latency_ms: { readonly logged: Percentiles; readonly replayed: Percentiles };
}

const maxExamples = 10;

/** Gives the inputs of kept predictions to `answer`, one after the other, and compares what comes of it. */
export async function replay(
  predictions: AsyncIterable<LoggedPrediction>,
  answer: (prediction: LoggedPrediction) => Promise<ReplayedAnswer>,
  rules: ReplayRules,
): Promise<ReplayReport> {
  const skipped = { inputs_not_kept: 0, not_understood: 0 };
  const changed: ChangedAnswer[] = [];
  const failures: string[] = [];
  const notUnderstood = new Set<string>();
  const judged: { logged: JudgedAnswer; replayed: JudgedAnswer }[] = [];
  const loggedMs: number[] = [];
  const replayedMs: number[] = [];
  let [replayed, agreed, failed] = [0, 0, 0];

  for await (const prediction of predictions) {
    if (!isWhole(prediction.inputs)) {
      skipped.inputs_not_kept += 1;
      continue;
    }
    const answered = await answer(prediction);
    if (answered.kind === 'not_understood') {
      skipped.not_understood += 1;
      if (notUnderstood.size < maxExamples) notUnderstood.add(answered.message);
      continue;
    }
    replayed += 1;
    if (answered.kind === 'failure') {
      failed += 1;
      if (failures.length < maxExamples) failures.push(`${prediction.id}: ${answered.message}`);
      continue;
    }
    if (prediction.phases.total_ms !== null) loggedMs.push(prediction.phases.total_ms);
    replayedMs.push(answered.totalMs);
    const target = rules.targetOf(prediction);
    const [before, now] = [answerOf(prediction.outputs, target), answerOf(answered.outputs, target)];
    const { label, score } = prediction.feedback ?? {};
    if (label !== undefined) {
      judged.push({ logged: { predicted: before, label, score }, replayed: { predicted: now, label } });
    }
    if (agree(before, now, rules)) agreed += 1;
    else if (changed.length < maxExamples) {
      const { id, inputs } = prediction;
      changed.push({ id, inputs, logged: before, replayed: now, ...(label !== undefined && { label }) });
    }
  }
  return {
    replayed,
    agreed,
    agreement: replayed === 0 ? null : agreed / replayed,
    failed,
    skipped,
    not_understood: [...notUnderstood],
    changed,
    failures,
    score: {
      logged: scoreOf(
        judged.map(({ logged }) => logged),
        rules,
      ),
      replayed: scoreOf(
        judged.map((pair) => pair.replayed),
        rules,
      ),
    },
    latency_ms: { logged: percentiles(loggedMs), replayed: percentiles(replayedMs) },
  };
}

function answerOf(outputs: unknown, target: string | undefined): unknown {
  if (target === undefined || typeof outputs !== 'object' || outputs === null) return outputs;
  return Object.entries(outputs).find(([name]) => name === target)?.[1];
}

function agree(before: unknown, now: unknown, { task, tolerance, classNames }: ReplayRules): boolean {
  const [label, answer] = [bareValue(before), bareValue(now)];
  if (label === undefined || answer === undefined) return isDeepStrictEqual(before, now);
  if (task === 'regression') return Math.abs(Number(label) - Number(answer)) <= tolerance;
  return isRight(answer, label, classNames);
}
