import { type Nested, nestElements, tensorToNested } from '../tensor/json-output.ts';
import { elementCount, type Signature, zeros } from '../tensor/tensor.ts';

/** A warm-up request as `model.json` has it: the elements may be flat or nested. */
export type WarmupRequest = Readonly<
  Record<string, { readonly shape: readonly number[]; readonly data: readonly unknown[] }>
>;

/** More elements than this would make the document long and no clearer. */
const maxElements = 1000;

/**
 * A request for the documentation: the given one, else zeros and empty texts, with 1 for every free dimension.
 * Undefined when it would be too long.
 */
export function exampleRequest({ inputs }: Signature, given: WarmupRequest | undefined): object | undefined {
  const example: [string, Nested<unknown>][] = [];
  for (const { name, datatype, shape } of inputs) {
    const tensor = given?.[name];
    const size = tensor?.shape ?? shape.map((dimension) => Math.max(dimension, 1));
    if (elementCount(size) > maxElements) return undefined;
    const isFlat = tensor !== undefined && !tensor.data.some(Array.isArray);
    if (tensor !== undefined) example.push([name, isFlat ? nestElements(tensor.data, size) : tensor.data]);
    else example.push([name, tensorToNested(zeros(datatype, size))]);
  }
  return Object.fromEntries(example);
}
