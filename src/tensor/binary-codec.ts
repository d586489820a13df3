import { AppError } from '../errors.ts';
import { elementBytes } from './data-type.ts';
import { type ElementPlace, refuseKind } from './json/refuse-element.ts';
import { malformedTensor, quoteShape } from './malformed-tensor.ts';
import { type Tensor, tensorOver, text } from './tensor.ts';
import { checkHeader, type TensorHeader, type TensorLimits } from './tensor-header.ts';

/** How many bytes of a binary body are an input's. */
export interface SectionSize {
  readonly name: string;
  readonly byteSize: number;
}

/** A tensor whose elements stand in the binary part of a body. */
export interface BinaryTensor extends TensorHeader {
  readonly section: Uint8Array;
}

const lengthBytes = 4;

/**
 * Cuts the binary part of a body into the sections of its inputs, which follow each other without a gap. Nothing is copied.
 *
 * @param bytes all that follows the JSON
 * @param sizes in the order of the inputs; those whose data is JSON are left out
 * @see https://github.com/triton-inference-server/server/blob/main/docs/protocol/extension_binary_data.md
 * @throws AppError `MALFORMED_TENSOR` when a size is none, a section runs past the end, or bytes are left over
 */
export function splitSections(bytes: Uint8Array, sizes: readonly SectionSize[]): Uint8Array[] {
  const sections: Uint8Array[] = [];
  let offset = 0;
  for (const { name, byteSize } of sizes) {
    const rest = bytes.byteLength - offset;
    if (!(Number.isInteger(byteSize) && byteSize >= 0 && byteSize <= rest)) {
      throw sizeMismatch(name, `binary_data_size is ${byteSize}, the body has ${rest} bytes left`, {
        received: byteSize,
        expected: rest,
      });
    }
    sections.push(bytes.subarray(offset, offset + byteSize));
    offset += byteSize;
  }
  const rest = bytes.byteLength - offset;
  if (rest > 0) {
    const message = `The body has ${rest} bytes after the last section of its inputs`;
    throw new AppError('MALFORMED_TENSOR', { message, received: bytes.byteLength, expected: offset });
  }
  return sections;
}

/**
 * Reads a tensor from its section: little-endian and row-major, BOOL as bytes 0 and 1, each text of BYTES after its
 * length in four bytes. Elements of a fixed size are not looked at (but for BOOL): the tensor is a view of the section, or a
 * copy where the section starts at an address that its type cannot. A view keeps the whole buffer of the body in memory.
 *
 * @throws AppError `MALFORMED_TENSOR` for an unknown data type, a bad or too large shape, a section of another size, a
 *   BOOL that is neither 0 nor 1, and a text that is not UTF-8 or holds a NUL
 */
export function tensorFromBytes(
  { datatype, shape, section }: BinaryTensor,
  name: string,
  limits?: TensorLimits,
): Tensor {
  const header = checkHeader({ datatype, shape }, name, limits);
  if (header.datatype === 'BYTES') return text(shape, readTexts(section, header.count, name));
  const expected = header.count * elementBytes(header.datatype);
  if (section.byteLength !== expected) {
    const message = `the section has ${section.byteLength} bytes, ${header.datatype} of shape ${quoteShape(shape)} has ${expected}`;
    throw sizeMismatch(name, message, { received: section.byteLength, expected });
  }
  const tensor = tensorOver(header.datatype, shape, hostBytes(section, elementBytes(header.datatype)));
  if (tensor.datatype === 'BOOL') checkBits(tensor.data, name);
  return tensor;
}

/**
 * The section of a tensor in a binary body. That of elements of a fixed size is a view of the tensor, nothing is copied.
 * Its `byteLength` is the `binary_data_size`.
 */
export function tensorToBytes(tensor: Tensor): Uint8Array {
  if (tensor.datatype === 'BYTES') return writeTexts(tensor.data);
  const { buffer, byteOffset, byteLength } = tensor.data;
  return littleEndian(new Uint8Array(buffer, byteOffset, byteLength));
}

/**
 * The elements of a BYTES tensor from their bytes.
 *
 * @throws AppError `MALFORMED_TENSOR` for one that is not UTF-8 or holds a NUL
 */
export function textsFromBytes(elements: readonly Uint8Array[], name: string): string[] {
  const decoder = newDecoder();
  return elements.map((bytes, index) => readText(decoder, bytes, { name, path: [index] }));
}

function newDecoder(): TextDecoder {
  return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
}

function hostBytes(section: Uint8Array, bytesPerElement: number): Uint8Array {
  const isAligned = section.byteOffset % bytesPerElement === 0;
  return littleEndian(isAligned ? section : new Uint8Array(section));
}

const isLittleEndian = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1;

/** The bytes as they are: the order of the wire is that of every host that ONNX Runtime has binaries for. */
function littleEndian(bytes: Uint8Array): Uint8Array {
  if (!isLittleEndian) throw new Error('Binary tensors need a little-endian host');
  return bytes;
}

function checkBits(bits: Uint8Array, name: string): void {
  for (let index = 0; index < bits.length; index++) {
    const bit = bits[index] ?? 0;
    if (bit > 1) throw refuseKind({ name, path: [index] }, bit, '0 or 1 (BOOL)');
  }
}

function readTexts(section: Uint8Array, count: number, name: string): string[] {
  const decoder = newDecoder();
  const view = new DataView(section.buffer, section.byteOffset, section.byteLength);
  const texts: string[] = [];
  let offset = 0;
  while (texts.length < count) {
    const start = offset + lengthBytes;
    const end = start <= section.byteLength ? start + view.getUint32(offset, true) : start;
    if (end > section.byteLength) {
      const message = `text ${texts.length} of ${count} ends at byte ${end}, the section has ${section.byteLength} bytes`;
      throw sizeMismatch(name, message, { received: section.byteLength, expected: `at least ${end}` });
    }
    texts.push(readText(decoder, section.subarray(start, end), { name, path: [texts.length] }));
    offset = end;
  }
  if (offset < section.byteLength) {
    const message = `${count} texts take ${offset} bytes, the section has ${section.byteLength}`;
    throw sizeMismatch(name, message, { received: section.byteLength, expected: offset });
  }
  return texts;
}

function readText(decoder: TextDecoder, bytes: Uint8Array, place: ElementPlace): string {
  // The runtime takes C strings: it would cut the text at a NUL.
  if (bytes.includes(0)) throw refuseKind(place, bytes, 'a text without NUL (BYTES)');
  try {
    return decoder.decode(bytes);
  } catch {
    throw refuseKind(place, bytes, 'UTF-8 (BYTES)');
  }
}

function writeTexts(texts: readonly string[]): Uint8Array {
  const encoder = new TextEncoder();
  // A UTF-16 unit takes three bytes of UTF-8 at most.
  const mostBytes = texts.reduce((bytes, element) => bytes + lengthBytes + 3 * element.length, 0);
  const bytes = new Uint8Array(mostBytes);
  const view = new DataView(bytes.buffer);
  let offset = 0;
  for (const element of texts) {
    const { written } = encoder.encodeInto(element, bytes.subarray(offset + lengthBytes));
    view.setUint32(offset, written, true);
    offset += lengthBytes + written;
  }
  return bytes.subarray(0, offset);
}

function sizeMismatch(name: string, message: string, sides: { received: unknown; expected: unknown }): AppError {
  return malformedTensor(name, { type: 'size_mismatch', message, ...sides });
}
