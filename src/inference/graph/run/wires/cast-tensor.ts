import { AppError, type Fault } from '../../../../errors.ts';
import { type DataType, typedArrays } from '../../../../tensor/data-type.ts';
import { quote } from '../../../../tensor/malformed-tensor.ts';
import type { Tensor } from '../../../../tensor/tensor.ts';
import { bigToNumber, isInteger, toBigInteger, toInteger } from './cast-numbers.ts';
import { bigIntegerOfText, booleanOfText, integerOfText, numberOfText, textOf } from './cast-texts.ts';

type Element = number | bigint | string;

/**
 * The elements of a tensor in another data type, by the rules of ONNX Cast: to an integer the fraction is cut off, to
 * BOOL all but 0 is true, to a text a number is written as ONNX Runtime does.
 *
 * @param location of the input that the tensor is for
 * @throws AppError `MODEL_REFUSED_INPUT` where the rules leave open what comes out: not a number, infinity or too large
 * for an integer, or a text that is no number
 * @see https://onnx.ai/onnx/operators/onnx__Cast.html
 */
export function castTensor(tensor: Tensor, to: DataType, location: Fault['location']): Tensor {
  if (tensor.datatype === to) return tensor;
  const values = valuesOf(tensor);
  const { shape, datatype } = tensor;
  const convert = converter(datatype, to);
  const cast = to === 'BYTES' ? new Array<string>(values.length) : newValues(to, values.length);
  for (let index = 0; index < values.length; index += 1) {
    const value = values[index] ?? 0;
    const converted = convert(value);
    if (converted === undefined) throw refuse(value, index, { datatype, to, location });
    // The converter gives what the data type holds, which the type system cannot see through a union.
    cast[index] = converted as never;
  }
  const data = cast instanceof Float16Array ? new Uint16Array(cast.buffer) : cast;
  return { datatype: to, shape, data } as Tensor;
}

/** The elements as values: those of FP16 are kept as bits. */
function valuesOf(tensor: Tensor): ArrayLike<Element> {
  if (tensor.datatype !== 'FP16') return tensor.data;
  const { buffer, byteOffset, length } = tensor.data;
  return new Float16Array(buffer, byteOffset, length);
}

function newValues(to: Exclude<DataType, 'BYTES'>, length: number) {
  return to === 'FP16' ? new Float16Array(length) : new typedArrays[to](length);
}

/** Gives undefined for what cannot be converted. */
function converter(from: DataType, to: DataType): (value: Element) => Element | undefined {
  if (to === 'BYTES') return (value) => textOf(value, from);
  if (to === 'BOOL')
    return (value) => (typeof value === 'string' ? booleanOfText(value) : Number(value !== 0 && value !== 0n));
  if (to === 'INT64' || to === 'UINT64') {
    return (value) => (typeof value === 'string' ? bigIntegerOfText(value, to) : toBigInteger(value, to));
  }
  if (isInteger(to)) return (value) => (typeof value === 'string' ? integerOfText(value, to) : toInteger(value, to));
  return (value) => {
    if (typeof value === 'string') return numberOfText(value);
    return typeof value === 'bigint' ? bigToNumber(value, to) : value;
  };
}

function refuse(
  value: Element,
  index: number,
  { datatype, to, location }: { datatype: DataType; to: DataType; location: Fault['location'] },
): AppError {
  const message = `${location.join('.')}: element ${index} is ${quote(value)} (${datatype}), which is no ${to}`;
  return new AppError('MODEL_REFUSED_INPUT', {
    message,
    received: typeof value === 'bigint' ? value.toString() : value,
    expected: to,
    faults: [{ location: [...location, index], type: 'out_of_range', message }],
  });
}
