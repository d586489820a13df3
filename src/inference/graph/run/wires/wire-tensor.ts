import type { Fault } from '../../../../errors.ts';
import type { Tensor, TensorSpec } from '../../../../tensor/tensor.ts';
import type { PlannedWire, TensorSource } from '../../graph-plan.ts';
import { doesNotFit, tensorText } from '../step-error.ts';
import type { StepScope } from '../step-scope.ts';
import { castTensor } from './cast-tensor.ts';
import { pickColumns, repeatRow, reshapeRows } from './reshape.ts';

/** What of a step a wire leads to: an input of its member, or an output that it makes of what is there. */
type End = 'in' | 'use';

/**
 * The tensor that a wire leads to: read, or repeated for each row, and adapted.
 *
 * @throws AppError `STEP_MISMATCH`, or an error of an invalid request where the tensor is one of its inputs
 */
export function wireTensor(wire: PlannedWire, end: End, name: string, scope: StepScope): Tensor {
  const { from, cast, reshape, columns, to } = wire;
  if ('step' in from) {
    const tensor = scope.read(from);
    const isAdapted = cast !== undefined || reshape !== undefined || columns !== undefined;
    const adapted = isAdapted ? adapt(tensor, wire, [end, name]) : tensor;
    if (!fitsSpec(adapted, to)) throw mismatch(adapted, to, [end, name], from);
    return adapted;
  }
  const tensor = repeatRow(adapt(from.row, wire, [end, name]), scope.rows);
  if (!fitsSpec(tensor, to)) throw mismatch(tensor, to, [end, name], undefined);
  return tensor;
}

function adapt(tensor: Tensor, { from, cast, reshape, columns }: PlannedWire, location: Fault['location']): Tensor {
  let adapted = cast === undefined ? tensor : castTensor(tensor, cast, location);
  if (reshape !== undefined) adapted = fitting(reshapeRows(adapted, reshape), adapted, `reshape [${reshape}]`);
  if (columns !== undefined) adapted = fitting(pickColumns(adapted, columns), adapted, `columns [${columns}]`);
  return adapted;

  function fitting(after: Tensor | undefined, before: Tensor, adapter: string): Tensor {
    if (after !== undefined) return after;
    const problem = `is ${tensorText(before)}, which does not fit ${adapter}`;
    throw doesNotFit(location, 'step' in from ? from : undefined, problem);
  }
}

/** Whether a tensor is of the type and shape of a spec; one without a shape takes any. */
export function fitsSpec({ datatype, shape }: Tensor, spec: TensorSpec): boolean {
  const expected = spec.shape;
  if (datatype !== spec.datatype) return false;
  if (expected.length === 0) return true;
  if (shape.length !== expected.length) return false;
  for (let axis = 0; axis < shape.length; axis += 1) {
    if (expected[axis] !== -1 && expected[axis] !== shape[axis]) return false;
  }
  return true;
}

function mismatch(tensor: Tensor, to: TensorSpec, location: Fault['location'], source: TensorSource | undefined) {
  const [received, expected] = [tensorText(tensor), tensorText(to)];
  return doesNotFit(location, source, `is ${received}, ${expected} is expected`, { received, expected });
}
