import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  binCounts,
  binNames,
  countLike,
  distributionOf,
  distributionSchema,
  fieldDistributionOf,
} from '../../../src/predictions/performance/distribution.ts';
import { driftFrom } from '../../../src/predictions/performance/drift.ts';
import { columnsOf } from '../../../src/predictions/performance/field-values.ts';

const value = fc.oneof(fc.constant(null), fc.double({ noNaN: true }), fc.string(), fc.boolean());

describe('the values of fields', () => {
  it('are taken from wherever they stand, and are missing where a row has none', () => {
    const rows = [
      { age: 3, home: { zip: 'a' }, sizes: [1, 2] },
      { age: null, home: {} },
      { age: 'NaN', new: true },
    ];
    expect(Object.fromEntries(columnsOf(rows))).toEqual({
      age: [3, null, null],
      'home.zip': ['a', null, null],
      'sizes.0': [1, null, null],
      'sizes.1': [2, null, null],
      new: [null, null, true],
    });
  });
});

describe('the distribution of a field', () => {
  it('counts every value once, in whatever bins', () => {
    fc.assert(
      fc.property(fc.array(value), fc.array(value), (first, second) => {
        const reference = fieldDistributionOf(first);
        expect(total(binCounts(reference))).toBe(first.length);
        const current = countLike(reference, second);
        expect(total(binCounts(current))).toBe(second.length);
        expect(binNames(reference)).toHaveLength(binCounts(reference).length);
        expect(binNames(current)).toEqual(binNames(reference));
      }),
    );
  });

  it('has deciles of numbers, so that the bins of the reference are equal', () => {
    const field = fieldDistributionOf(Array.from({ length: 1000 }, (_, index) => index));
    expect(field).toEqual({
      kind: 'number',
      edges: [99, 199, 299, 399, 499, 599, 699, 799, 899],
      counts: new Array(10).fill(100),
      missing: 0,
    });
  });

  it('has few different numbers, and texts, each by itself', () => {
    expect(fieldDistributionOf([3, 1, 3, null])).toEqual({
      kind: 'category',
      counts: { 1: 1, 3: 2 },
      other: 0,
      missing: 1,
    });
    expect(fieldDistributionOf(['S', 'C', 'S'])).toMatchObject({ kind: 'category', counts: { C: 1, S: 2 } });
  });

  it('has texts of all kinds by their length', () => {
    const field = fieldDistributionOf(Array.from({ length: 100 }, (_, index) => 'x'.repeat(index + 1)));
    expect(field).toMatchObject({ kind: 'text', edges: [10, 20, 30, 40, 50, 60, 70, 80, 90] });
  });
});

describe('the drift of predictions', () => {
  const rows = (ages: readonly (number | null)[], sex: string) =>
    ages.map((age) => ({ inputs: { age, sex }, outputs: { survived: 1 } }));
  const ages = Array.from({ length: 200 }, (_, index) => index);
  const reference = distributionOf(rows(ages, 'male'), { source: 'made up', domain: 'titanic' });

  it('has a reference that can be written and read', () => {
    expect(distributionSchema.parse(JSON.parse(JSON.stringify(reference)))).toEqual(reference);
  });

  it('is none for the same predictions', () => {
    const { inputs, outputs, unmatched } = driftFrom(reference, rows(ages, 'male'));
    expect([inputs['age']?.psi, inputs['sex']?.psi, outputs['survived']?.psi]).toEqual([0, 0, 0]);
    expect(unmatched).toEqual([]);
  });

  it('shows what has moved, what is missing and what is new', () => {
    const moved = rows(
      ages.map((age) => (age % 2 === 0 ? null : age / 2)),
      'female',
    );
    const { inputs, outputs } = driftFrom(reference, moved);
    expect(inputs['age']?.psi).toBeGreaterThan(1);
    expect(inputs['age']?.reference).toEqual({ count: 200, missing_share: 0 });
    expect(inputs['age']?.current).toEqual({ count: 200, missing_share: 0.5 });
    expect(inputs['age']?.bins.at(-1)).toEqual({ bin: 'missing', reference: 0, current: 0.5 });
    expect(inputs['sex']?.psi).toBeGreaterThan(1);
    expect(inputs['sex']?.bins).toEqual([
      { bin: 'male', reference: 1, current: 0 },
      { bin: 'other', reference: 0, current: 1 },
    ]);
    expect(outputs['survived']?.psi).toBe(0);
  });

  it('names fields that the reference does not have, and has no index without predictions', () => {
    const { inputs, unmatched } = driftFrom(reference, [{ inputs: { age: 1, deck: 'A' }, outputs: {} }]);
    expect(unmatched).toEqual(['inputs.deck']);
    expect(inputs['sex']?.current).toEqual({ count: 1, missing_share: 1 });
    expect(driftFrom(reference, []).inputs['age']).toMatchObject({ psi: null, psi_by_chance: null });
  });
});

function total(counts: readonly number[]): number {
  return counts.reduce((sum, count) => sum + count, 0);
}
