import { type DataType, type TensorData, typedArrays } from '../tensor/data-type.ts';
import { elementCount } from '../tensor/tensor.ts';

/** A tensor of one data type, row-major. FP16 is kept as its raw bits; BOOL as bytes 0 and 1. */
export interface TensorOf<D extends DataType, Shape extends readonly number[] = readonly number[]> {
  readonly datatype: D;
  readonly shape: Readonly<Shape>;
  readonly data: TensorData[D];
}

/** A tensor of any data type. */
export type AnyTensor = { [D in DataType]: TensorOf<D> }[DataType];

/** What a model takes and gives, by name. `inferd types` writes such types for the models of a server. */
export interface ModelTypes {
  readonly inputs: Readonly<Record<string, AnyTensor>>;
  readonly outputs: Readonly<Record<string, AnyTensor>>;
}

/** What stands for an element of each data type. */
interface ElementOf {
  BOOL: boolean;
  UINT64: bigint | number;
  INT64: bigint | number;
  BYTES: string;
}

type Element<D extends DataType> = D extends keyof ElementOf ? ElementOf[D] : number;

/**
 * A tensor from elements, or over a typed array, which is not copied.
 *
 * @example tensor('FP32', [1, 4], [5.1, 3.5, 1.4, 0.2])
 * @throws RangeError when the shape has another number of elements, or an integer does not fit its type
 */
export function tensor<D extends DataType, const Shape extends readonly number[]>(
  datatype: D,
  shape: Shape,
  elements: TensorData[D] | readonly Element<D>[],
): TensorOf<D, Shape> {
  const count = elementCount(shape);
  if (elements.length !== count) {
    throw new RangeError(`The shape [${shape.join(', ')}] has ${count} elements, received ${elements.length}`);
  }
  const data = ArrayBuffer.isView(elements) ? elements : dataOf(datatype, elements);
  // The data is that of the data type, which the compiler cannot follow through the switch over all types.
  return { datatype, shape, data: data as TensorData[D] };
}

function dataOf(datatype: DataType, elements: readonly (string | number | bigint | boolean)[]): TensorData[DataType] {
  if (datatype === 'BYTES') return elements.map(String);
  if (datatype === 'INT64' || datatype === 'UINT64') {
    const integers = elements.map(BigInt);
    const data = datatype === 'INT64' ? BigInt64Array.from(integers) : BigUint64Array.from(integers);
    refuseChanged(datatype, integers, data);
    return data;
  }
  const numbers = elements.map(Number);
  if (datatype === 'FP16') return new Uint16Array(Float16Array.from(numbers).buffer);
  const data = typedArrays[datatype as NumberType].from(numbers);
  if (datatype !== 'FP32' && datatype !== 'FP64') refuseChanged(datatype, numbers, data);
  return data;
}

type NumberType = Exclude<DataType, 'BYTES' | 'INT64' | 'UINT64'>;

/** A typed array wraps and cuts integers that it cannot hold. */
function refuseChanged<T>(datatype: DataType, elements: ArrayLike<T>, data: ArrayLike<T>): void {
  for (let index = 0; index < elements.length; index++) {
    if (data[index] === elements[index]) continue;
    throw new RangeError(`Element ${index} is ${String(elements[index])}, which ${datatype} cannot hold`);
  }
}
