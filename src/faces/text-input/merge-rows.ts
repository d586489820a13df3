import type { DecodedGroup } from '../../serving/instance-groups.ts';
import { floatValues } from '../../tensor/float-values.ts';
import type { Tensor, Tensors } from '../../tensor/tensor.ts';
import type { TextLimits } from '../../texts/text-limits.ts';

/**
 * Outputs of several groups as those of one run: a row for each row of the request in its order, those of shorter groups
 * padded with zeros where their tokens were. Only outputs of floats with a value, or a vector, for each token are merged.
 */
export function mergeRows(groups: readonly DecodedGroup[], paddingSide: TextLimits['paddingSide']): Tensors {
  const [first] = groups;
  if (first === undefined) return {};
  if (groups.length === 1 && first.rows.every((row, index) => row === index)) return first.outputs;
  const names = Object.keys(first.outputs);
  return Object.fromEntries(
    names.flatMap((name) => {
      const merged = mergeOutput(name, groups, paddingSide);
      return merged === undefined ? [] : [[name, merged]];
    }),
  );
}

function mergeOutput(
  name: string,
  groups: readonly DecodedGroup[],
  paddingSide: TextLimits['paddingSide'],
): Tensor | undefined {
  const parts = groups.flatMap(({ outputs, rows }) => {
    const tensor = outputs[name];
    const values = tensor && floatValues(tensor);
    return tensor === undefined || values === undefined ? [] : [{ values, shape: tensor.shape, rows }];
  });
  if (parts.length !== groups.length) return undefined;
  const length = parts.reduce((most, { shape }) => Math.max(most, shape[1] ?? 1), 0);
  const inner = (parts[0]?.shape ?? []).slice(2);
  const vector = inner.reduce((product, dimension) => product * dimension, 1);
  const rowCount = parts.reduce((sum, { rows }) => sum + rows.length, 0);
  const data = new Float32Array(rowCount * length * vector);
  for (const { values, shape, rows } of parts) {
    const own = (shape[1] ?? 1) * vector;
    const offset = paddingSide === 'right' ? 0 : length * vector - own;
    for (const [at, row] of rows.entries()) {
      data.set(values.subarray(at * own, (at + 1) * own), row * length * vector + offset);
    }
  }
  return { datatype: 'FP32', shape: [rowCount, length, ...inner], data };
}
