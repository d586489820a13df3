import type { Label } from '../stored-prediction.ts';

/** An answer beside what was said of it. */
export interface JudgedAnswer {
  /** The answer proper; undefined where it is not known which output that is. */
  readonly predicted: unknown;
  /** The true answer. */
  readonly label?: Label | undefined;
  /** How good a client found it. */
  readonly score?: number | undefined;
}

/** How good answers were, as far as they were judged. */
export interface Score {
  /** Answers with a true label that they could be compared with. */
  readonly labelled: number;
  /** Part of them that is right; null for regression, and without labels. */
  readonly accuracy: number | null;
  /** Mean of the absolute errors; null for classification, and without labels. */
  readonly mean_absolute_error: number | null;
  /** Root of the mean of the squared errors; null for classification, and without labels. */
  readonly root_mean_square_error: number | null;
  /** Answers with a score. */
  readonly scored: number;
  readonly mean_score: number | null;
}

export interface ScoringRules {
  readonly task: 'classification' | 'regression';
  /** Names of classes in the order of their indices, where answers or labels may be either. */
  readonly classNames?: readonly string[] | undefined;
}

export function scoreOf(answers: readonly JudgedAnswer[], rules: ScoringRules): Score {
  const comparable = answers.flatMap(({ predicted, label }) => {
    const answer = bareValue(predicted);
    return label === undefined || answer === undefined ? [] : [{ answer, label }];
  });
  const scores = answers.map(({ score }) => score).filter((score) => score !== undefined);
  const errors = rules.task === 'regression' ? errorsOf(comparable) : [];
  const right = comparable.filter(({ answer, label }) => isRight(answer, label, rules.classNames)).length;
  const labelled = rules.task === 'regression' ? errors.length : comparable.length;
  const squares = mean(errors.map((error) => error ** 2));
  return {
    labelled,
    accuracy: rules.task === 'classification' && labelled > 0 ? right / labelled : null,
    mean_absolute_error: mean(errors.map(Math.abs)),
    root_mean_square_error: squares === null ? null : Math.sqrt(squares),
    scored: scores.length,
    mean_score: mean(scores),
  };
}

/** Whether an answer is the class that the label says; each may be the name of the class or its index. */
export function isRight(answer: unknown, label: Label | bigint, classNames: readonly string[] = []): boolean {
  return className(answer, classNames) === className(label, classNames);
}

/** The value of a list of one value, of whatever depth; undefined if there are more, or none. */
export function bareValue(value: unknown): Label | bigint | undefined {
  if (Array.isArray(value)) return value.length === 1 ? bareValue(value[0]) : undefined;
  const isBare = typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean';
  return isBare || typeof value === 'bigint' ? value : undefined;
}

/** The index or identifier of a class that a double would round. */
const longWholeNumber = /^-?\d{16,20}$/;

function className(value: unknown, classNames: readonly string[]): string {
  if (longWholeNumber.test(String(value))) return String(BigInt(String(value)));
  const index = typeof value === 'boolean' ? Number(value) : Number(String(value).trim() || Number.NaN);
  return classNames[index] ?? (Number.isNaN(index) ? String(value) : String(index));
}

function errorsOf(comparable: readonly { readonly answer: Label | bigint; readonly label: Label }[]): number[] {
  return comparable.map(({ answer, label }) => Number(answer) - Number(label)).filter(Number.isFinite);
}

function mean(values: readonly number[]): number | null {
  return values.length === 0 ? null : values.reduce((sum, value) => sum + value, 0) / values.length;
}
