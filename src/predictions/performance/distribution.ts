import { z } from 'zod';
import { columnsOf, type FieldValue } from './field-values.ts';

const count = z.int().min(0);

/** Numbers by bins: up to and with the first edge, up to and with the second …, above the last. */
const numbers = {
  edges: z.array(z.number()).describe('Deciles of the reference; equal ones once'),
  counts: z.array(count).min(1),
  missing: count,
};

export const fieldDistribution = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('number'), ...numbers }),
  z.strictObject({ kind: z.literal('text').describe('Texts by their length in characters'), ...numbers }),
  z.strictObject({
    kind: z.literal('category'),
    counts: z.record(z.string(), count),
    other: count.default(0).describe('Values that are not among them'),
    missing: count,
  }),
]);

/** How the fields of inputs and outputs are distributed, so that others can be compared with them. */
export const distributionSchema = z.strictObject({
  source: z.string().describe('What was counted'),
  domain: z.string().nullable().describe('Whose terms the fields are in; null: tensors by name'),
  count: count.describe('Instances that were counted'),
  inputs: z.record(z.string(), fieldDistribution),
  outputs: z.record(z.string(), fieldDistribution),
});

export type FieldDistribution = z.output<typeof fieldDistribution>;
export type Distribution = z.output<typeof distributionSchema>;

/** One prediction, as far as its distribution goes. */
export interface InputsAndOutputs {
  readonly inputs: unknown;
  readonly outputs: unknown;
}

/** A number with no more values than this is counted by value. */
const maxValuesOfNumber = 12;
/** A text with no more values than this is counted by value. */
const maxCategories = 50;
const deciles = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9];

/** How the fields of these predictions are distributed. */
export function distributionOf(
  rows: readonly InputsAndOutputs[],
  about: { readonly source: string; readonly domain: string | null },
): Distribution {
  const fields = (values: readonly unknown[]) =>
    Object.fromEntries([...columnsOf(values)].map(([path, column]) => [path, fieldDistributionOf(column)]));
  return {
    ...about,
    count: rows.length,
    inputs: fields(rows.map(({ inputs }) => inputs)),
    outputs: fields(rows.map(({ outputs }) => outputs)),
  };
}

/** How the values of a field are distributed: numbers by deciles, few different values each by itself, texts by length. */
export function fieldDistributionOf(values: readonly FieldValue[]): FieldDistribution {
  const present = values.filter((value) => value !== null);
  const distinct = new Set(present).size;
  const areNumbers = present.every((value) => typeof value === 'number');
  if (areNumbers && distinct > maxValuesOfNumber) return emptyLike('number', present, values);
  if (!areNumbers && distinct > maxCategories) return emptyLike('text', present, values);

  const names = [...new Set(present.map(String))].sort();
  const empty = Object.fromEntries(names.map((name) => [name, 0]));
  return countLike({ kind: 'category', counts: empty, other: 0, missing: 0 }, values);
}

/** The values counted in the bins of another distribution. */
export function countLike(bins: FieldDistribution, values: readonly FieldValue[]): FieldDistribution {
  const present = values.filter((value) => value !== null);
  const missing = values.length - present.length;
  if (bins.kind === 'category') {
    const counts = new Map(Object.keys(bins.counts).map((name) => [name, 0]));
    let other = 0;
    for (const value of present) {
      const before = counts.get(String(value));
      if (before === undefined) other += 1;
      else counts.set(String(value), before + 1);
    }
    return { kind: 'category', counts: Object.fromEntries(counts), other, missing };
  }
  const counts = new Array<number>(bins.edges.length + 1).fill(0);
  for (const value of present) {
    const number = numberOf(bins.kind, value);
    const above = bins.edges.findIndex((edge) => number <= edge);
    const bin = above === -1 ? bins.edges.length : above;
    counts[bin] = (counts[bin] ?? 0) + 1;
  }
  return { kind: bins.kind, edges: bins.edges, counts, missing };
}

/** The counts of all bins in one order, the missing ones last. */
export function binCounts(field: FieldDistribution): readonly number[] {
  const counts = field.kind === 'category' ? [...Object.values(field.counts), field.other] : field.counts;
  return [...counts, field.missing];
}

/** What the bins of {@link binCounts} are called. */
export function binNames(field: FieldDistribution): readonly string[] {
  if (field.kind === 'category') return [...Object.keys(field.counts), 'other', 'missing'];
  const { edges } = field;
  const within = edges.map((edge, bin) => (bin === 0 ? `≤ ${edge}` : `> ${edges[bin - 1]}, ≤ ${edge}`));
  const last = edges.length === 0 ? 'all' : `> ${edges.at(-1)}`;
  return [...within, last, 'missing'];
}

function emptyLike(
  kind: 'number' | 'text',
  present: readonly Exclude<FieldValue, null>[],
  values: readonly FieldValue[],
): FieldDistribution {
  const sorted = present.map((value) => numberOf(kind, value)).sort((a, b) => a - b);
  const edges = deciles.map((part) => sorted[Math.ceil(part * sorted.length) - 1] ?? 0);
  const distinct = [...new Set(edges)];
  return countLike({ kind, edges: distinct, counts: new Array(distinct.length + 1).fill(0), missing: 0 }, values);
}

function numberOf(kind: 'number' | 'text', value: Exclude<FieldValue, null>): number {
  if (kind === 'text') return String(value).length;
  return typeof value === 'number' ? value : Number(value);
}
