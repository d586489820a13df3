/**
 * The data types of the Open Inference Protocol that a model can take or give, with the typed array that holds each.
 * FP16 is kept as its raw bits. BYTES elements are text: ONNX strings reach the runtime as UTF-8.
 */
export interface TensorData {
  BOOL: Uint8Array;
  UINT8: Uint8Array;
  UINT16: Uint16Array;
  UINT32: Uint32Array;
  UINT64: BigUint64Array;
  INT8: Int8Array;
  INT16: Int16Array;
  INT32: Int32Array;
  INT64: BigInt64Array;
  FP16: Uint16Array;
  FP32: Float32Array;
  FP64: Float64Array;
  BYTES: readonly string[];
}

export type DataType = keyof TensorData;
export type FixedSizeDataType = Exclude<DataType, 'BYTES'>;

/** The typed array of every data type of fixed element size. */
export const typedArrays = {
  BOOL: Uint8Array,
  UINT8: Uint8Array,
  UINT16: Uint16Array,
  UINT32: Uint32Array,
  UINT64: BigUint64Array,
  INT8: Int8Array,
  INT16: Int16Array,
  INT32: Int32Array,
  INT64: BigInt64Array,
  FP16: Uint16Array,
  FP32: Float32Array,
  FP64: Float64Array,
} as const;

export function isDataType(value: string): value is DataType {
  return value === 'BYTES' || Object.hasOwn(typedArrays, value);
}

/** Bytes of one element; undefined for BYTES, whose elements have no fixed size. */
export function elementBytes(datatype: FixedSizeDataType): number;
export function elementBytes(datatype: DataType): number | undefined;
export function elementBytes(datatype: DataType): number | undefined {
  return datatype === 'BYTES' ? undefined : typedArrays[datatype].BYTES_PER_ELEMENT;
}
