import { floatValues } from '../../tensor/float-values.ts';
import type { Tensor, Tensors } from '../../tensor/tensor.ts';

/**
 * The outputs that two versions are compared by.
 *
 * @param outputs those that the client was given
 * @param target the one that is the answer proper, as the operator says. @default the first that is no float, else all
 */
export function comparedOutputs(outputs: Tensors, target: string | undefined): Tensors {
  const named = target === undefined ? undefined : outputs[target];
  if (target !== undefined && named !== undefined) return { [target]: named };
  const notFloat = Object.entries(outputs).find(([, { datatype }]) => !datatype.startsWith('FP'));
  return notFloat === undefined ? outputs : Object.fromEntries([notFloat]);
}

/** Whether a version has given these outputs too, up to the tolerance. */
export function outputsAgree(expected: Tensors, given: Tensors, tolerance: number): boolean {
  return Object.entries(expected).every(([name, tensor]) => {
    const other = given[name];
    return other !== undefined && tensorsAgree(tensor, other, tolerance);
  });
}

/** Whether two numbers are the same, up to the tolerance: of numbers beyond 1 it is a part. NaN is the same as NaN. */
export function numbersAgree(a: number, b: number, tolerance: number): boolean {
  if (a === b || (Number.isNaN(a) && Number.isNaN(b))) return true;
  return Number.isFinite(a) && Math.abs(a - b) <= tolerance * Math.max(1, Math.abs(a));
}

function tensorsAgree(a: Tensor, b: Tensor, tolerance: number): boolean {
  if (a.datatype !== b.datatype || a.shape.length !== b.shape.length) return false;
  if (a.shape.some((size, axis) => size !== b.shape[axis])) return false;
  const [floats, others] = [floatValues(a), floatValues(b)];
  if (floats === undefined || others === undefined) return sameElements(a.data, b.data);
  return floats.every((value, index) => numbersAgree(value, others[index] ?? Number.NaN, tolerance));
}

function sameElements(a: Tensor['data'], b: Tensor['data']): boolean {
  for (let index = 0; index < a.length; index += 1) if (a[index] !== b[index]) return false;
  return true;
}
