import type { aggregations } from '../../models/face-settings/text-settings.ts';
import { type EntityLabel, typeOf } from './entity-labels.ts';

/** How the classes of tokens become entities; as transformers calls them. */
export type Aggregation = (typeof aggregations)[number];

/** A token with its classes. */
export interface ScoredToken {
  /** Index of the most probable class. */
  readonly best: number;
  readonly probability: number;
  /** Of every class; most strategies do without. */
  readonly probabilities: () => Float64Array;
  /** Code points of the text. */
  readonly start: number;
  readonly end: number;
  /** Whether it goes on the word of the token before. */
  readonly isSubword: boolean;
}

/** A part of a text that has a label. */
export interface Entity {
  readonly label: string;
  readonly probability: number;
  /** Code points of the text. */
  readonly start: number;
  readonly end: number;
}

export interface EntityOptions {
  readonly aggregation: Aggregation;
  readonly labels: readonly string[];
  readonly readLabel: (label: string) => EntityLabel;
  /** Labels that are left out. */
  readonly ignore: ReadonlySet<string>;
}

/**
 * The entities of one run of tokens. `simple` joins tokens whose labels belong together; `first`, `average` and `max` give
 * all tokens of a word the label of its first token, of the mean of their probabilities, or of the surest of them, and
 * join words. Source: `TokenClassificationPipeline.aggregate` of transformers.
 */
export function entitiesOf(tokens: readonly ScoredToken[], options: EntityOptions): readonly Entity[] {
  const { aggregation, labels, ignore } = options;
  const labelled =
    aggregation === 'none' || aggregation === 'simple'
      ? tokens.map((token) => labelledBy(token, [token], labels))
      : words(tokens).map((word) => labelledBy(classOf(word, aggregation), word, labels));
  const entities = aggregation === 'none' ? labelled : groups(labelled, options);
  return entities.filter(({ label }) => !ignore.has(label));
}

function words(tokens: readonly ScoredToken[]): readonly (readonly ScoredToken[])[] {
  const found: ScoredToken[][] = [];
  for (const token of tokens) {
    const last = found.at(-1);
    if (last !== undefined && token.isSubword) last.push(token);
    else found.push([token]);
  }
  return found;
}

type BestClass = Pick<ScoredToken, 'best' | 'probability'>;

function classOf(word: readonly ScoredToken[], aggregation: 'first' | 'average' | 'max'): BestClass {
  const [first, ...others] = word;
  if (first === undefined || aggregation === 'first' || others.length === 0) return first ?? noClass;
  if (aggregation === 'max') {
    return others.reduce((surest, token) => (token.probability > surest.probability ? token : surest), first);
  }
  const all = word.map(({ probabilities }) => probabilities());
  const means = first
    .probabilities()
    .map((_, index) => all.reduce((sum, of) => sum + (of[index] ?? 0), 0) / all.length);
  const best = bestOf(means, 0, means.length);
  return { best, probability: means[best] ?? Number.NaN };
}

const noClass: BestClass = { best: 0, probability: Number.NaN };

function labelledBy(
  { best, probability }: BestClass,
  tokens: readonly ScoredToken[],
  labels: readonly string[],
): Entity {
  return {
    label: labels[best] ?? `LABEL_${best}`,
    probability,
    start: tokens[0]?.start ?? 0,
    end: tokens.at(-1)?.end ?? 0,
  };
}

function groups(parts: readonly Entity[], { readLabel }: EntityOptions): readonly Entity[] {
  const found: Entity[][] = [];
  let before: EntityLabel | undefined;
  for (const part of parts) {
    const label = readLabel(part.label);
    const last = found.at(-1);
    const goesOn = before !== undefined && !before.ends && !label.begins && label.type === before.type;
    if (last !== undefined && goesOn) last.push(part);
    else found.push([part]);
    before = label;
  }
  return found.map((group) => ({
    label: typeOf(group[0]?.label ?? ''),
    probability: group.reduce((sum, { probability }) => sum + probability, 0) / group.length,
    start: group[0]?.start ?? 0,
    end: group.at(-1)?.end ?? 0,
  }));
}

/** Index of the first of the greatest of so many values from one on. */
export function bestOf(values: ArrayLike<number>, from: number, count: number): number {
  let best = 0;
  for (let index = 1; index < count; index++) {
    if ((values[from + index] ?? 0) > (values[from + best] ?? 0)) best = index;
  }
  return best;
}
