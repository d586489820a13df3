import { bestIndexes } from '../../tensor/classification.ts';
import type { DataType } from '../../tensor/data-type.ts';
import {
  type JsonElement,
  type Nested,
  nestElements,
  tensorToJson,
  tensorToNested,
} from '../../tensor/json/json-output.ts';
import type { Tensor } from '../../tensor/tensor.ts';

/** How names of classes apply to an output: its elements are indices of classes, or each of its rows has a value for each class. */
export type LabelUse = 'indices' | 'values';

/** One of the best classes of a row. */
export type BestClass = { readonly label: string } & { readonly [value in 'probability' | 'score']?: JsonElement };

const floatTypes: ReadonlySet<DataType> = new Set<DataType>(['FP16', 'FP32', 'FP64']);

/** How names of classes apply to an output of this type and shape; undefined: not at all. */
export function labelUse({ datatype, shape }: Pick<Tensor, 'datatype' | 'shape'>): LabelUse | undefined {
  if (floatTypes.has(datatype)) return shape.length === 2 ? 'values' : undefined;
  return datatype === 'BYTES' || datatype === 'BOOL' ? undefined : 'indices';
}

/** What the value of a class is called: `probability` where the name of the output says so, else `score`. */
export function valueName(output: string): 'probability' | 'score' {
  return /prob/i.test(output) ? 'probability' : 'score';
}

/**
 * A key for each class: its name, or its index where it has none. A key that several classes would have gets the index
 * of its class too, and where that gives what another is called, all do.
 *
 * @param classes how many there are, as far as is known
 */
export function classKeys(labels: readonly string[], classes = labels.length): string[] {
  const names = Array.from({ length: classes }, (_, index) => labels[index] ?? String(index));
  const counts = new Map<string, number>();
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
  const withIndex = names.map((name, index) => `${name} (${index})`);
  const keys = names.map((name, index) => (counts.get(name) === 1 ? name : (withIndex[index] ?? name)));
  return new Set(keys).size === classes ? keys : withIndex;
}

/**
 * An output with the names of its classes: indices become names, and a row of values an object of values by name, or the
 * `top` best as a list. An index without a name stays a number, and a value without one has its index for a name.
 *
 * @param top how many classes of each row are wanted; all, by name, when undefined
 */
export function labelledOutput(
  tensor: Tensor,
  name: string,
  labels: readonly string[],
  top: number | undefined,
): Nested<unknown> {
  const use = labelUse(tensor);
  if (use === undefined) return tensorToNested(tensor);
  const elements = tensorToJson(tensor);
  if (use === 'indices') {
    const names = elements.map((element) => (typeof element === 'number' ? (labels[element] ?? element) : element));
    return nestElements(names, tensor.shape);
  }
  const [rows = 0, classes = 0] = tensor.shape;
  const keys = classKeys(labels, classes);
  return Array.from({ length: rows }, (_, row) => {
    const values = elements.slice(row * classes, (row + 1) * classes);
    return top === undefined ? byName(values, keys) : best(values, keys, { top, value: valueName(name) });
  });
}

function byName(values: readonly JsonElement[], keys: readonly string[]): Record<string, JsonElement> {
  return Object.fromEntries(values.map((value, index) => [keys[index] ?? String(index), value]));
}

function best(
  values: readonly JsonElement[],
  keys: readonly string[],
  { top, value }: { top: number; value: 'probability' | 'score' },
): BestClass[] {
  const numbers = Float64Array.from(values, (element) =>
    Number(typeof element === 'object' ? element.rawJSON : element),
  );
  return bestIndexes(numbers, top).map((index) => ({
    label: keys[index] ?? String(index),
    [value]: values[index],
  }));
}
