import type { aggregations } from '../../models/face-settings/text-settings.ts';
import { type EntityLabel, typeOf } from './entity-labels.ts';

/** How the classes of tokens become entities; as transformers calls them. */
export type Aggregation = (typeof aggregations)[number];

/** A token with the probabilities of its classes. */
export interface ScoredToken {
  readonly probabilities: Float64Array;
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
  const isWords = aggregation !== 'none' && aggregation !== 'simple';
  const labelled = isWords
    ? words(tokens).map((word) => labelledBy(scoresOf(word, aggregation), word, labels))
    : tokens.map((token) => labelledBy(token.probabilities, [token], labels));
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

function scoresOf(word: readonly ScoredToken[], aggregation: 'first' | 'average' | 'max'): Float64Array {
  const [first, ...others] = word.map(({ probabilities }) => probabilities);
  if (first === undefined) return new Float64Array(0);
  switch (aggregation) {
    case 'first':
      return first;
    case 'max':
      return others.reduce((surest, scores) => (greatest(scores) > greatest(surest) ? scores : surest), first);
    case 'average': {
      const sum = first.map((score, index) => others.reduce((all, scores) => all + (scores[index] ?? 0), score));
      return sum.map((score) => score / word.length);
    }
  }
}

function labelledBy(probabilities: Float64Array, tokens: readonly ScoredToken[], labels: readonly string[]): Entity {
  const best = bestOf(probabilities);
  return {
    label: labels[best] ?? `LABEL_${best}`,
    probability: probabilities[best] ?? Number.NaN,
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

/** The first of the greatest. */
function bestOf(values: Float64Array): number {
  let best = 0;
  for (let index = 1; index < values.length; index++) {
    if ((values[index] ?? 0) > (values[best] ?? 0)) best = index;
  }
  return best;
}

function greatest(values: Float64Array): number {
  return values[bestOf(values)] ?? 0;
}
