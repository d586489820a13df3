/**
 * The elements of tensors, between bytes and JSON. It shares nothing with `src/tensor`, which is what these tests are about.
 */

type NumberArray = { readonly length: number; [index: number]: number | bigint } & ArrayBufferView;

const arrays: Readonly<Record<string, new (buffer: ArrayBuffer) => NumberArray>> = {
  UINT8: Uint8Array,
  UINT16: Uint16Array,
  UINT32: Uint32Array,
  UINT64: BigUint64Array,
  INT8: Int8Array,
  INT16: Int16Array,
  INT32: Int32Array,
  INT64: BigInt64Array,
  FP16: Float16Array,
  FP32: Float32Array,
  FP64: Float64Array,
};

/** The text of the flat JSON list of the elements: integers with all their digits, NaN and infinities as texts. */
export function jsonOf(datatype: string, bytes: Buffer): string {
  if (datatype === 'BYTES') return JSON.stringify(textsOf(bytes));
  if (datatype === 'BOOL') return JSON.stringify(Array.from(bytes, (bit) => bit === 1));
  return `[${Array.from(elementsOf(datatype, bytes), numberText).join()}]`;
}

/** The bytes of a list of elements that `parseExactly` read. */
export function bytesOf(datatype: string, data: readonly unknown[]): Buffer {
  if (datatype === 'BYTES') return textBytes(data.map(String));
  if (datatype === 'BOOL') return Buffer.from(data.map((element) => (element === true ? 1 : 0)));
  const Elements = arrayOf(datatype);
  const width = new Elements(new ArrayBuffer(8)).length;
  const elements = new Elements(new ArrayBuffer((data.length * 8) / width));
  const isBig = datatype.endsWith('INT64');
  for (const [index, element] of data.entries()) {
    elements[index] = isBig ? BigInt(element as number | bigint) : Number(element);
  }
  return Buffer.from(elements.buffer);
}

/** Reads JSON whose integers beyond ±2^53 become BigInt. */
export function parseExactly(text: string): unknown {
  const exact = (_key: string, value: unknown, context?: { readonly source?: string }) => {
    if (typeof value !== 'number' || Number.isSafeInteger(value)) return value;
    const source = context?.source ?? '';
    return /^-?\d+$/.test(source) ? BigInt(source) : value;
  };
  return JSON.parse(text, exact);
}

/** The bytes with every NaN as the same NaN: JSON knows that an element is none, and no more. */
export function withOneNan(datatype: string, bytes: Buffer): Buffer {
  if (!datatype.startsWith('FP')) return bytes;
  const elements = elementsOf(datatype, bytes);
  for (let index = 0; index < elements.length; index++) {
    if (Number.isNaN(elements[index])) elements[index] = Number.NaN;
  }
  return Buffer.from(elements.buffer);
}

export function textBytes(texts: readonly string[]): Buffer {
  return Buffer.concat(
    texts.flatMap((text) => {
      const length = Buffer.alloc(4);
      length.writeUInt32LE(Buffer.byteLength(text));
      return [length, Buffer.from(text)];
    }),
  );
}

export function textsOf(bytes: Buffer): string[] {
  const texts: string[] = [];
  for (let offset = 0; offset < bytes.length; ) {
    const start = offset + 4;
    offset = start + bytes.readUInt32LE(offset);
    texts.push(bytes.toString('utf8', start, offset));
  }
  return texts;
}

/** The elements of a copy, which begins where any type may begin. */
export function elementsOf(datatype: string, bytes: Buffer): NumberArray & Iterable<number | bigint> {
  return new (arrayOf(datatype))(new Uint8Array(bytes).buffer) as NumberArray & Iterable<number | bigint>;
}

function arrayOf(datatype: string): new (buffer: ArrayBuffer) => NumberArray {
  const Elements = arrays[datatype];
  if (Elements === undefined) throw new Error(`No such data type: ${datatype}`);
  return Elements;
}

function numberText(value: number | bigint): string {
  if (typeof value === 'bigint') return String(value);
  if (!Number.isFinite(value)) return `"${value}"`;
  return Object.is(value, -0) ? '-0.0' : String(value);
}
