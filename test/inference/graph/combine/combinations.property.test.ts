import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { combine } from '../../../../src/inference/graph/combine/combine.ts';
import type { Part } from '../../../../src/inference/graph/combine/combined.ts';
import type { DataType } from '../../../../src/tensor/data-type.ts';
import { randomNumbers } from '../../../../src/tensor/random-numbers.ts';
import { elementCount, type Tensor } from '../../../../src/tensor/tensor.ts';
import { bitsButNaN } from '../../../tensor/arbitrary-tensor.ts';
import { type Element, elementsOf, half, partsOf, randomParts, randomTensor, tensorOf } from './random-parts.ts';

const integers = ['UINT8', 'UINT16', 'UINT32', 'UINT64', 'INT8', 'INT16', 'INT32', 'INT64'] as const;
const floats = ['FP16', 'FP32', 'FP64'] as const;
const rules = { index: false, nan: 'propagate', axis: -1 } as const;
const runs = { numRuns: 80 };

/** The definition of each combination, an element at a time. */
describe('the combination', () => {
  it.each(['BOOL', 'BYTES', ...integers] as const)('vote of %s is that of the definition', (datatype) => {
    fc.assert(
      fc.property(randomParts, (random) => {
        const parts = partsOf(datatype, random);
        const { value, share, count } = combine({ ...rules, combine: 'vote' }, parts);
        const expected = byElement(parts, voteOf);
        const { shape } = random;
        expectSame(
          value,
          tensorOf(
            datatype,
            shape,
            expected.map(([winner]) => winner),
          ),
        );
        expectSame(
          share,
          tensorOf(
            'FP32',
            shape,
            expected.map(([, part]) => part),
          ),
        );
        expectSame(count, counted(parts));
      }),
      runs,
    );
  });

  it.each(floats.flatMap((datatype) => (['propagate', 'skip'] as const).map((nan) => [datatype, nan] as const)))(
    'mean of %s, with %s, is that of the definition',
    (datatype, nan) => {
      fc.assert(
        fc.property(randomParts, (random) => {
          const parts = partsOf(datatype, random);
          const { value, index, count } = combine({ ...rules, combine: 'mean', nan, index: true }, parts);
          const means = byElement(parts, (given) => meanOf(given, nan)).map((mean) =>
            datatype === 'FP16' ? nearestHalf(mean) : mean,
          );
          const expected = tensorOf(datatype, random.shape, means);
          expectSame(value, expected);
          expectSame(index, greatest(expected));
          expectSame(count, counted(parts));
        }),
        runs,
      );
    },
  );

  it.each(
    [...integers, ...floats].flatMap((datatype) =>
      (['max', 'min'] as const).map((which) => [which, datatype] as const),
    ),
  )('%s of %s is that of the definition', (which, datatype) => {
    fc.assert(
      fc.property(randomParts, fc.constantFrom('propagate', 'skip'), (random, nan) => {
        const parts = partsOf(datatype, random);
        const { value, from, count } = combine({ ...rules, combine: which, nan }, parts);
        const chosen = byElement(parts, (given) => chosenOf(given, which, nan));
        const raw = chosen.map((part, at) => parts[part]?.tensor.data[at] ?? 0);
        expectSame(value, tensorOf(datatype, random.shape, raw));
        expectSame(
          from,
          tensorOf(
            'BYTES',
            random.shape,
            chosen.map((part) => `s${part}`),
          ),
        );
        expectSame(count, counted(parts));
      }),
      runs,
    );
  });

  it.each(['BYTES', 'BOOL', ...integers, ...floats] as const)('concat of %s is that of the definition', (datatype) => {
    const shapes = fc.array(fc.integer({ min: 0, max: 3 }), { minLength: 1, maxLength: 3 });
    const given = fc.record({
      seed: fc.integer(),
      rows: fc.constantFrom(0, 1, 3, 1000),
      others: shapes,
      widths: shapes,
    });
    fc.assert(
      fc.property(given, fc.nat(), fc.boolean(), ({ seed, rows, others, widths }, at, isLast) => {
        const random = randomNumbers(seed);
        const along = isLast ? others.length : 1 + (at % others.length);
        const parts = widths.map((width, index) => ({
          tensor: randomTensor(
            datatype,
            [rows, ...others].map((dimension, axis) => (axis === along ? width : dimension)),
            random,
          ),
          step: `s${index}`,
          weight: 1,
        }));
        const { value, count } = combine({ ...rules, combine: 'concat', axis: isLast ? -1 : along }, parts);
        expectSame(value, concatenated(parts, along));
        expectSame(count, counted(parts));
      }),
      runs,
    );
  });

  it.each(['vote', 'mean', 'max', 'concat'] as const)('%s refuses parts of unlike shapes or types', (which) => {
    const datatype = which === 'mean' ? 'FP32' : 'INT32';
    const part = (shape: number[], type: DataType = datatype): Part => ({
      tensor: randomTensor(type, shape, Math.random),
      step: 's',
      weight: 1,
    });
    for (const other of [part([3, 2]), part([2, 2, 1]), part([2, 2], 'INT8')]) {
      expect(() => combine({ ...rules, combine: which }, [part([2, 2]), other])).toThrow(
        expect.objectContaining({ code: 'STEP_MISMATCH' }),
      );
    }
  });

  it.each([
    ['vote', 'FP32'],
    ['mean', 'INT32'],
    ['max', 'BYTES'],
    ['min', 'BOOL'],
  ] as const)('%s refuses %s', (which, datatype) => {
    const part = { tensor: randomTensor(datatype, [1], Math.random), step: 's', weight: 1 };
    expect(() => combine({ ...rules, combine: which }, [part])).toThrow(
      expect.objectContaining({ code: 'STEP_MISMATCH' }),
    );
  });
});

interface Given {
  readonly element: Element;
  readonly weight: number;
}

function byElement<Result>(parts: readonly Part[], of: (given: readonly Given[]) => Result): Result[] {
  const elements = parts.map(({ tensor }) => elementsOf(tensor));
  const count = elementCount(parts[0]?.tensor.shape ?? []);
  return Array.from({ length: count }, (_, at) =>
    of(parts.map(({ weight }, part) => ({ element: elements[part]?.[at] ?? 0, weight }))),
  );
}

function voteOf(given: readonly Given[]): readonly [Element, number] {
  const total = (some: readonly Given[]) => some.reduce((sum, { weight }) => sum + weight, 0);
  const candidates = [...new Set(given.map(({ element }) => element))].map(
    (element) => [element, total(given.filter((one) => one.element === element))] as const,
  );
  const most = Math.max(...candidates.map(([, weight]) => weight));
  const [winner, weight] = candidates.find(([, own]) => own >= most * (1 - 1e-9)) ?? ['', 0];
  return [winner, weight / total(given)];
}

function meanOf(given: readonly Given[], nan: 'propagate' | 'skip'): number {
  const taken = given.filter(({ element }) => nan === 'propagate' || !Number.isNaN(element));
  if (taken.length === 0) return NaN;
  const products = taken.map(({ element, weight }) => weight * Number(element));
  const sum = products.slice(1).reduce((one, other) => one + other, products[0] ?? NaN);
  return sum / taken.map(({ weight }) => weight).reduce((one, other) => one + other);
}

/** Every number of half precision that is one, by size. */
const halves = Array.from({ length: 0x7c00 }, (_, bits) => ({ bits, value: half(bits) }));

/** The bits of the nearest number of half precision, of two the even one. */
function nearestHalf(value: number): number {
  if (Number.isNaN(value)) return 0x7e00;
  const sign = Object.is(value, -0) || value < 0 ? 0x8000 : 0;
  const size = Math.abs(value);
  // The first number beyond the greatest stands for infinity.
  if (size >= 65_520) return sign | 0x7c00;
  const above = halves.findIndex((candidate) => candidate.value >= size);
  const [low, high] = [halves[Math.max(0, above - 1)], halves[above === -1 ? halves.length - 1 : above]];
  if (low === undefined || high === undefined) throw new Error('no number is near');
  const [below, over] = [size - low.value, high.value - size];
  if (below !== over) return sign | (below < over ? low.bits : high.bits);
  return sign | (low.bits % 2 === 0 ? low.bits : high.bits);
}

function chosenOf(given: readonly Given[], which: 'max' | 'min', nan: string): number {
  const numbered = given.map(({ element }, index) => ({ element, index }));
  const missing = numbered.filter(({ element }) => Number.isNaN(element));
  if (nan === 'propagate' && missing.length > 0) return missing[0]?.index ?? 0;
  const sorted = numbered
    .filter(({ element }) => !Number.isNaN(element))
    .toSorted((one, other) =>
      which === 'max' ? compare(other.element, one.element) : compare(one.element, other.element),
    );
  return sorted[0]?.index ?? 0;
}

function compare(one: Element, other: Element): number {
  if (one === other) return Number(Object.is(other, -0)) - Number(Object.is(one, -0));
  return one < other ? -1 : 1;
}

function greatest(tensor: Tensor): Tensor {
  const width = tensor.shape.at(-1) ?? 1;
  const shape = tensor.shape.slice(0, -1);
  const elements = elementsOf(tensor).map(Number);
  const indexes = Array.from({ length: elementCount(shape) }, (_, line) => {
    const row = elements.slice(line * width, (line + 1) * width).filter((element) => !Number.isNaN(element));
    const most = row.reduce((one, other) => (other > one ? other : one), row[0] ?? NaN);
    return BigInt(Math.max(0, elements.slice(line * width, (line + 1) * width).indexOf(most)));
  });
  return tensorOf('INT64', shape, indexes);
}

function concatenated(parts: readonly Part[], along: number): Tensor {
  const first = parts[0]?.tensor;
  if (first === undefined) throw new Error('no parts');
  const width = parts.reduce((sum, { tensor }) => sum + (tensor.shape[along] ?? 0), 0);
  const shape = first.shape.map((dimension, axis) => (axis === along ? width : dimension));
  const elements = Array.from({ length: elementCount(shape) }, (_, at) => {
    const place: number[] = [];
    let rest = at;
    for (const dimension of shape.toReversed()) {
      place.unshift(rest % dimension);
      rest = Math.floor(rest / dimension);
    }
    for (const { tensor } of parts) {
      const own = tensor.shape[along] ?? 0;
      const column = place[along] ?? 0;
      if (column < own) {
        const flat = tensor.shape.reduce((sum, dimension, axis) => sum * dimension + (place[axis] ?? 0), 0);
        return tensor.data[flat] ?? 0;
      }
      place[along] = column - own;
    }
    throw new Error('no part has the element');
  });
  return tensorOf(first.datatype, shape, elements);
}

function counted(parts: readonly Part[]): Tensor {
  const rows = parts[0]?.tensor.shape[0] ?? 1;
  return tensorOf('INT64', [rows], new Array(rows).fill(BigInt(parts.length)));
}

function expectSame(got: Tensor | undefined, expected: Tensor): void {
  if (got === undefined) throw new Error('there is no such output');
  const same = JSON.stringify(bitsButNaN(got), asText) === JSON.stringify(bitsButNaN(expected), asText);
  // To compare thousands of elements with `toEqual` takes long; it is for people.
  if (!same) expect(bitsButNaN(got)).toEqual(bitsButNaN(expected));
  expect(same).toBe(true);
}

function asText(_: string, value: unknown): unknown {
  if (typeof value === 'bigint') return `${value}n`;
  return ArrayBuffer.isView(value) ? [...(value as Uint8Array)] : value;
}
