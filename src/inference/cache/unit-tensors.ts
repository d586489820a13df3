import { concatenateRows, sliceRows } from '../../tensor/rows.ts';
import type { Tensor, TensorSpec, Tensors } from '../../tensor/tensor.ts';
import { type PackedAnswer, unpack } from './packed-answer.ts';

/** Copies of some rows, in that order. */
export function copyRows(tensors: Tensors, rows: readonly number[]): Tensors {
  const copied: Record<string, Tensor> = {};
  for (const [name, tensor] of Object.entries(tensors)) {
    copied[name] = concatenateRows(rows.map((row) => sliceRows(tensor, row, row + 1)));
  }
  return copied;
}

/** One tensor of the rows of all answers; undefined where their shapes do not fit each other. */
export function joinRows(packed: readonly PackedAnswer[], outputs: readonly TensorSpec[]): Tensors | undefined {
  const answers = packed.map(unpack);
  const [first] = answers;
  if (answers.length === 1) return first;
  const joined: Record<string, Tensor> = {};
  for (const { name } of outputs) {
    const rows = answers.flatMap((answer) => answer[name] ?? []);
    const shape = first?.[name]?.shape.slice(1).join();
    if (rows.length !== answers.length || rows.some((row) => row.shape.slice(1).join() !== shape)) return undefined;
    joined[name] = concatenateRows(rows);
  }
  return joined;
}
