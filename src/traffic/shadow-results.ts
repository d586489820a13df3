import { bareValue, isRight, type ScoringRules } from '../predictions/performance/score.ts';
import { readKept } from '../predictions/recording/kept-text.ts';
import { isWhole } from '../predictions/recording/kept-value.ts';
import { idOf } from '../predictions/recording/prediction-id.ts';
import { type Percentiles, percentiles } from '../predictions/replay/percentiles.ts';
import { currentFeedback, type Label, type StoredPrediction } from '../predictions/stored-prediction.ts';
import { numbersAgree } from '../serving/traffic/compare-outputs.ts';
import { mcnemarExact } from './mcnemar.ts';
import type { ShadowPair } from './results-store.ts';
import { valuesAgree } from './values-agree.ts';
import { type Share, wilson } from './wilson.ts';

/** By what a shadow is compared with what answered. */
export interface ComparisonRules {
  readonly task: ScoringRules['task'];
  /** How far floats may be apart to agree, for those beyond 1 as a part of them. */
  readonly tolerance: number;
  /** Name of the output, or field of the result, that is the answer proper; undefined: all of them are. */
  targetOf(prediction: StoredPrediction): string | undefined;
  /** Names of classes in the order of their indices, where answers or labels may be either. */
  classNamesOf(prediction: StoredPrediction): readonly string[] | undefined;
}

export interface Disagreement {
  /** Of the prediction that the client has. */
  readonly id: string;
  readonly shadow_id: string;
  readonly at: string;
  /** The version that answered the client. */
  readonly version: string | null;
  readonly primary: unknown;
  readonly shadow: unknown;
}

export interface ShadowReport {
  readonly failed: number;
  readonly agreement: { readonly n: number; readonly agree: number } & Share;
  readonly latency_ms: { readonly primary: Percentiles; readonly shadow: Percentiles };
  readonly judged: {
    readonly n: number;
    readonly both_right: number;
    /** The version that answered is right, the shadow is wrong. */
    readonly b: number;
    /** The shadow is right, the version that answered is wrong. */
    readonly c: number;
    readonly p: number | null;
  };
  /** The newest first. */
  readonly disagreements: readonly Disagreement[];
}

const maxDisagreements = 20;

/** Adds up pairs, the newest first. */
export class ShadowTally {
  readonly #rules: ComparisonRules;
  readonly #primaryMs: number[] = [];
  readonly #shadowMs: number[] = [];
  readonly #disagreements: Disagreement[] = [];
  readonly #judged = { n: 0, both_right: 0, b: 0, c: 0 };
  #failed = 0;
  #compared = 0;
  #agree = 0;

  constructor(rules: ComparisonRules) {
    this.#rules = rules;
  }

  add({ primary, shadow }: ShadowPair): void {
    if (shadow.status !== 'OK') {
      this.#failed += 1;
      return;
    }
    addTime(this.#primaryMs, primary);
    addTime(this.#shadowMs, shadow);
    const [answer, other] = [this.#answerOf(primary), this.#answerOf(shadow)];
    // What was left out or redacted is alike whatever it was.
    if (answer === null || other === null || !isWhole(answer) || !isWhole(other)) return;
    this.#compare({ primary, shadow }, answer, other);
    this.#judge(primary, answer, other);
  }

  report(): ShadowReport {
    const { b, c } = this.#judged;
    return {
      failed: this.#failed,
      agreement: { n: this.#compared, agree: this.#agree, ...wilson(this.#agree, this.#compared) },
      latency_ms: { primary: percentiles(this.#primaryMs), shadow: percentiles(this.#shadowMs) },
      judged: { ...this.#judged, p: this.#judged.n === 0 ? null : mcnemarExact(b, c) },
      disagreements: this.#disagreements,
    };
  }

  #compare({ primary, shadow }: ShadowPair, answer: unknown, other: unknown): void {
    this.#compared += 1;
    if (valuesAgree(answer, other, this.#rules.tolerance)) {
      this.#agree += 1;
      return;
    }
    if (this.#disagreements.length === maxDisagreements) return;
    this.#disagreements.push({
      id: idOf(primary),
      shadow_id: idOf(shadow),
      at: shadow.at.toISOString(),
      version: primary.version,
      primary: answer,
      shadow: other,
    });
  }

  /** What was said of the answer holds for both. */
  #judge(primary: StoredPrediction, answer: unknown, other: unknown): void {
    const label = currentFeedback(primary.feedback)?.label;
    const [was, would] = [bareValue(answer), bareValue(other)];
    if (label === undefined || was === undefined || would === undefined) return;
    const { task, tolerance } = this.#rules;
    const classNames = this.#rules.classNamesOf(primary);
    const isTrue = (value: Label | bigint) =>
      task === 'classification'
        ? isRight(value, label, classNames)
        : numbersAgree(Number(label), Number(value), tolerance);
    const [wasRight, wouldBeRight] = [isTrue(was), isTrue(would)];
    this.#judged.n += 1;
    if (wasRight && wouldBeRight) this.#judged.both_right += 1;
    else if (wasRight) this.#judged.b += 1;
    else if (wouldBeRight) this.#judged.c += 1;
  }

  #answerOf(prediction: StoredPrediction): unknown {
    const outputs = readKept(prediction.outputs);
    const target = this.#rules.targetOf(prediction);
    if (target === undefined || typeof outputs !== 'object' || outputs === null) return outputs;
    const found = Object.entries(outputs).find(([name]) => name === target);
    return found === undefined ? outputs : found[1];
  }
}

/** From the tensors to the outputs: nothing is encoded for a shadow. */
function addTime(times: number[], { total_ms, encode_ms }: StoredPrediction): void {
  if (total_ms !== null) times.push(total_ms - (encode_ms ?? 0));
}
