import {
  binCounts,
  binNames,
  countLike,
  type Distribution,
  type FieldDistribution,
  type InputsAndOutputs,
} from './distribution.ts';
import { columnsOf, type FieldValue } from './field-values.ts';
import { indexByChance, stabilityIndex } from './stability-index.ts';

/** How much the values of a field have moved from those of the reference. */
export interface FieldDrift {
  readonly kind: FieldDistribution['kind'];
  /** Population stability index; null where there is nothing to compare. */
  readonly psi: number | null;
  /** What chance alone makes of it with samples of these sizes. */
  readonly psi_by_chance: number | null;
  readonly reference: SampleSize;
  readonly current: SampleSize;
  readonly bins: { readonly bin: string; readonly reference: number; readonly current: number }[];
}

interface SampleSize {
  /** Values, the missing ones among them. */
  readonly count: number;
  readonly missing_share: number;
}

export interface Drift {
  readonly inputs: Readonly<Record<string, FieldDrift>>;
  readonly outputs: Readonly<Record<string, FieldDrift>>;
  /** Fields that only the current predictions have. */
  readonly unmatched: string[];
}

/** Compares predictions with a reference, field by field. */
export function driftFrom(reference: Distribution, rows: readonly InputsAndOutputs[]): Drift {
  const inputs = columnsOf(rows.map((row) => row.inputs));
  const outputs = columnsOf(rows.map((row) => row.outputs));
  return {
    inputs: compareFields(reference.inputs, inputs, rows.length),
    outputs: compareFields(reference.outputs, outputs, rows.length),
    unmatched: [...unknownTo(reference.inputs, inputs, 'inputs'), ...unknownTo(reference.outputs, outputs, 'outputs')],
  };
}

function compareFields(
  reference: Readonly<Record<string, FieldDistribution>>,
  columns: ReadonlyMap<string, readonly FieldValue[]>,
  rows: number,
): Record<string, FieldDrift> {
  const compared = Object.entries(reference).map(([path, field]) => {
    // A field that no row has is missing in all of them.
    const values = columns.get(path) ?? new Array<FieldValue>(rows).fill(null);
    return [path, compareField(field, values)] as const;
  });
  return Object.fromEntries(compared);
}

/** Compares the values of a field with its reference. */
export function compareField(reference: FieldDistribution, values: readonly FieldValue[]): FieldDrift {
  const current = countLike(reference, values);
  const names = binNames(reference);
  const before = binCounts(reference);
  const now = binCounts(current);
  // A bin that is empty in both is none: smoothing would count it.
  const used = names.map((_, bin) => bin).filter((bin) => (before[bin] ?? 0) + (now[bin] ?? 0) > 0);
  const usedBefore = used.map((bin) => before[bin] ?? 0);
  const usedNow = used.map((bin) => now[bin] ?? 0);
  const sizes = { reference: sampleSize(reference), current: sampleSize(current) };
  const isComparable = sizes.reference.count > 0 && sizes.current.count > 0;
  return {
    kind: reference.kind,
    psi: isComparable ? stabilityIndex(usedBefore, usedNow) : null,
    psi_by_chance: indexByChance(used.length, sizes.reference.count, sizes.current.count),
    ...sizes,
    bins: used.map((bin) => ({
      bin: names[bin] ?? '',
      reference: part(before[bin] ?? 0, sizes.reference.count),
      current: part(now[bin] ?? 0, sizes.current.count),
    })),
  };
}

function sampleSize(field: FieldDistribution): SampleSize {
  const count = binCounts(field).reduce((sum, ofBin) => sum + ofBin, 0);
  return { count, missing_share: part(field.missing, count) };
}

function part(count: number, total: number): number {
  return total === 0 ? 0 : count / total;
}

function unknownTo(reference: object, columns: ReadonlyMap<string, unknown>, where: string): string[] {
  return [...columns.keys()].filter((path) => !Object.hasOwn(reference, path)).map((path) => `${where}.${path}`);
}
