import { rowElements, sliceElements } from '../../tensor/rows.ts';
import type { Tensor } from '../../tensor/tensor.ts';
import type { JoinedTensor } from './executor.ts';
import type { Pending } from './pending.ts';

/** Every input of a run, with the rows of its members one behind the other. Nothing is copied yet. */
export function joinInputs(members: readonly Pending[], rows: number): JoinedTensor[] {
  const [first] = members;
  if (first === undefined) return [];
  if (members.length === 1) {
    return first.inputs.map((tensor) => ({ datatype: tensor.datatype, shape: tensor.shape, parts: [tensor] }));
  }
  return first.inputs.map(({ datatype, shape }, i) => {
    const parts: Tensor[] = [];
    for (const { inputs } of members) {
      const part = inputs[i];
      if (part !== undefined) parts.push(part);
    }
    return { datatype, shape: [rows, ...shape.slice(1)], parts };
  });
}

/** Whether every output has as many rows as the inputs had. */
export function rowsMatch(outputs: readonly Tensor[], rows: number): boolean {
  return outputs.every((output) => output.shape[0] === rows);
}

/** The outputs of every member, as views into those of the run. */
export function splitOutputs(outputs: readonly Tensor[], members: readonly Pending[]): Tensor[][] {
  const shares = members.map((): Tensor[] => []);
  for (const output of outputs) {
    const elements = rowElements(output.shape);
    const rest = output.shape.slice(1);
    let at = 0;
    let shape: readonly number[] = [];
    for (let i = 0; i < members.length; i += 1) {
      const rows = members[i]?.rows ?? 0;
      const end = at + rows * elements;
      if (shape[0] !== rows) shape = [rows, ...rest];
      shares[i]?.push(sliceElements(output, shape, at, end));
      at = end;
    }
  }
  return shares;
}
