import { AppError } from '../errors.ts';
import type { DataType } from '../tensor/data-type.ts';
import type { Tensor, Tensors } from '../tensor/tensor.ts';

/**
 * The output of that name, which must have that data type.
 *
 * @throws AppError `INTERNAL` if the model behind the domain has another signature
 */
export function output<D extends DataType>(
  outputs: Tensors,
  name: string,
  datatype: D,
): Extract<Tensor, { datatype: D }> {
  const tensor = outputs[name];
  if (tensor !== undefined && hasDatatype(tensor, datatype)) return tensor;
  throw new AppError('INTERNAL', {
    message: `The model gives no output ${name} of type ${datatype}`,
    received: Object.values(outputs).map((given) => given.datatype),
    expected: datatype,
  });
}

function hasDatatype<D extends DataType>(tensor: Tensor, datatype: D): tensor is Extract<Tensor, { datatype: D }> {
  return tensor.datatype === datatype;
}
