import { quoteShape } from '../tensor/malformed-tensor.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { show } from './json.ts';
import { expect } from './verdict.ts';

/**
 * How far floats may differ, relative to the greater of them and 1: a server may run requests in one batch, which changes the
 * order of sums, and may print fewer digits than a float has.
 */
const tolerance = 1e-4;

/** The tensors of an answer by name. */
export type Answer = ReadonlyMap<string, Tensor>;

/** @throws NotMet unless both have the same outputs with the same values */
export function expectSameAnswer(received: Answer, expected: Answer): void {
  const names = show([...received.keys()].sort());
  expect(
    names === show([...expected.keys()].sort()),
    `expected the outputs ${show([...expected.keys()])}, received ${show([...received.keys()])}`,
  );
  for (const [name, tensor] of expected) {
    const other = received.get(name);
    if (other !== undefined) expectSameTensor(name, other, tensor);
  }
}

function expectSameTensor(name: string, received: Tensor, expected: Tensor): void {
  const header = ({ datatype, shape }: Tensor) => `${datatype} ${quoteShape(shape)}`;
  expect(
    header(received) === header(expected),
    `output ${show(name)}: expected ${header(expected)}, received ${header(received)}`,
  );
  const isFloat = expected.datatype.startsWith('FP');
  const wanted = elementsOf(expected);
  const given = elementsOf(received);
  const place = wanted.findIndex((value, index) => !isSame(value, given[index], isFloat));
  expect(
    place === -1,
    `output ${show(name)}, element ${place}: expected ${show(wanted[place])}, received ${show(given[place])}`,
  );
}

/** The elements as numbers, bigints or texts; FP16 by value. */
export function elementsOf(tensor: Tensor): readonly (number | bigint | string)[] {
  if (tensor.datatype !== 'FP16') return [...tensor.data];
  const { buffer, byteOffset, length } = tensor.data;
  return [...new Float16Array(buffer, byteOffset, length)];
}

function isSame(expected: unknown, received: unknown, isFloat: boolean): boolean {
  if (expected === received || Object.is(expected, received)) return true;
  if (!isFloat || typeof expected !== 'number' || typeof received !== 'number') return false;
  return Math.abs(expected - received) <= tolerance * Math.max(1, Math.abs(expected), Math.abs(received));
}
