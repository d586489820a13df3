import { type Nested, tensorToNested } from '../tensor/json/json-output.ts';
import { elementCount, type Tensors } from '../tensor/tensor.ts';

/** More elements than this would make the document long and no clearer. */
const maxElements = 1000;

/** A request that a model has taken, for the documentation; undefined when there is none, or it would be too long. */
export function exampleRequest(taken: Tensors | undefined): object | undefined {
  if (taken === undefined) return undefined;
  const example: [string, Nested<unknown>][] = [];
  for (const [name, tensor] of Object.entries(taken)) {
    if (elementCount(tensor.shape) > maxElements) return undefined;
    example.push([name, tensorToNested(tensor)]);
  }
  return Object.fromEntries(example);
}
