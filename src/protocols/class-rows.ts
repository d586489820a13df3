import type { ServedModel } from '../serving/infer.ts';

/** Whether dimension 0 of an output counts rows that have classes of their own, also where rows depend on each other. */
export function hasRowsOfClasses({ independentRows, signature }: ServedModel, output: string): boolean {
  if (independentRows) return true;
  const shape = signature.outputs.find(({ name }) => name === output)?.shape ?? [];
  return shape.length > 1 && shape[0] === -1;
}
