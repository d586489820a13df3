import type { Fault } from '../../../../errors.ts';
import type { Tensor, TensorSpec } from '../../../../tensor/tensor.ts';
import type { PlannedWire, TensorSource } from '../../graph-plan.ts';
import { doesNotFit, tensorText } from '../step-error.ts';
import type { StepScope } from '../step-scope.ts';
import { castTensor } from './cast-tensor.ts';
import { pickColumns, repeatRow, reshapeRows } from './reshape.ts';

/**
 * The tensor that a wire leads to: read, or repeated for each row, and adapted.
 *
 * @param location of what the wire leads to, in the step
 * @throws AppError `STEP_MISMATCH`, or an error of an invalid request where the tensor is one of its inputs
 */
export function wireTensor(wire: PlannedWire, location: Fault['location'], scope: StepScope): Tensor {
  const { from, cast, reshape, columns, to } = wire;
  const source = 'step' in from ? from : undefined;
  let tensor = 'step' in from ? scope.read(from) : from.row;
  if (cast !== undefined) tensor = castTensor(tensor, cast, location);
  if (reshape !== undefined) tensor = fitting(reshapeRows(tensor, reshape), tensor, `reshape [${reshape}]`);
  if (columns !== undefined) tensor = fitting(pickColumns(tensor, columns), tensor, `columns [${columns}]`);
  if (source === undefined) tensor = repeatRow(tensor, scope.rows);
  if (!fitsSpec(tensor, to)) throw mismatch(tensor, to, location, source);
  return tensor;

  function fitting(adapted: Tensor | undefined, before: Tensor, adapter: string): Tensor {
    if (adapted !== undefined) return adapted;
    throw doesNotFit(location, source, `is ${tensorText(before)}, which does not fit ${adapter}`);
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
