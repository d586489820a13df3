import { textsFromBytes } from '../tensor/binary-codec.ts';
import { type DataType, typedArrays } from '../tensor/data-type.ts';
import { refuseRange } from '../tensor/json/refuse-element.ts';
import { malformedTensor, quote, quoteShape } from '../tensor/malformed-tensor.ts';
import { type Tensor, tensorOver, text } from '../tensor/tensor.ts';
import { checkHeader, type TensorHeader } from '../tensor/tensor-header.ts';
import type { TensorContents } from './messages/infer.ts';

type List = keyof TensorContents;

/** The list of `InferTensorContents` that has the elements of each data type; half floats have none. */
const listOf: Readonly<Record<DataType, List | undefined>> = {
  BOOL: 'bools',
  UINT8: 'uints',
  UINT16: 'uints',
  UINT32: 'uints',
  UINT64: 'uint64s',
  INT8: 'ints',
  INT16: 'ints',
  INT32: 'ints',
  INT64: 'int64s',
  FP16: undefined,
  FP32: 'floats',
  FP64: 'doubles',
  BYTES: 'texts',
};

/** Their names in the protocol, for messages. */
const protocolNames: Readonly<Record<List, string>> = {
  bools: 'bool_contents',
  ints: 'int_contents',
  int64s: 'int64_contents',
  uints: 'uint_contents',
  uint64s: 'uint64_contents',
  floats: 'fp32_contents',
  doubles: 'fp64_contents',
  texts: 'bytes_contents',
};

/**
 * Reads a tensor from typed contents. Where the list has the type of the tensor, nothing is copied.
 *
 * @throws AppError `MALFORMED_TENSOR` for elements in another list than that of the data type, another number of them than
 *   the shape says, an element out of the range of the type, and for FP16, which the protocol has in raw contents only
 */
export function tensorFromContents(header: TensorHeader, contents: TensorContents, name: string): Tensor {
  const { shape } = header;
  const { datatype, count } = checkHeader(header, name);
  const list = listOf[datatype];
  if (list === undefined) {
    throw malformedTensor(name, {
      type: 'invalid_type',
      message: `${datatype} has no typed contents; send it in raw_input_contents`,
      received: 'contents',
      expected: 'raw_input_contents',
    });
  }
  refuseOtherLists(contents, { list, datatype, name });
  const elements = contents[list];
  if (elements.length !== count) {
    throw malformedTensor(name, {
      type: 'shape_mismatch',
      message: `${protocolNames[list]} has ${elements.length} elements, the shape ${quoteShape(shape)} has ${count}`,
      received: elements.length,
      expected: count,
    });
  }
  if (datatype === 'BYTES') return text(shape, textsFromBytes(contents.texts, name));
  const numbers = narrow(contents, { list, datatype, name });
  return tensorOver(datatype, shape, new Uint8Array(numbers.buffer, numbers.byteOffset, numbers.byteLength));
}

interface Place {
  readonly list: List;
  readonly datatype: DataType;
  readonly name: string;
}

function refuseOtherLists(contents: TensorContents, { list, datatype, name }: Place): void {
  for (const other of Object.keys(protocolNames) as List[]) {
    if (other === list || contents[other].length === 0) continue;
    throw malformedTensor(name, {
      type: 'invalid_type',
      message: `the elements of ${datatype} stand in ${protocolNames[list]}, not in ${protocolNames[other]}`,
      received: protocolNames[other],
      expected: protocolNames[list],
    });
  }
}

/** The elements in the array of their type; those of 8 and 16 bits come in lists of 32. */
function narrow(contents: TensorContents, { list, datatype, name }: Place): ArrayBufferView {
  switch (datatype) {
    case 'INT8':
    case 'INT16':
      return checkRange(contents.ints, new typedArrays[datatype](contents.ints.length), { datatype, name });
    case 'UINT8':
    case 'UINT16':
      return checkRange(contents.uints, new typedArrays[datatype](contents.uints.length), { datatype, name });
    default: {
      const elements = contents[list];
      if (!ArrayBuffer.isView(elements)) throw new TypeError(`${quote(name)} is not a list of numbers`);
      return elements;
    }
  }
}

function checkRange(
  wide: Int32Array | Uint32Array,
  narrowed: Int8Array | Int16Array | Uint8Array | Uint16Array,
  { datatype, name }: { datatype: DataType; name: string },
): ArrayBufferView {
  narrowed.set(wide);
  for (let index = 0; index < wide.length; index++) {
    if (narrowed[index] === wide[index]) continue;
    const values = 2 ** (8 * narrowed.BYTES_PER_ELEMENT);
    const least = wide instanceof Int32Array ? -values / 2 : 0;
    const range = { datatype, least, greatest: least + values - 1 };
    throw refuseRange({ name, path: [index] }, wide[index], range);
  }
  return narrowed;
}
