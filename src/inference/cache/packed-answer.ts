import { tensorFromBytes, tensorToBytes } from '../../tensor/binary-codec.ts';
import type { DataType } from '../../tensor/data-type.ts';
import { sliceRows } from '../../tensor/rows.ts';
import type { Tensor, Tensors } from '../../tensor/tensor.ts';

/** What a tensor is beside its elements. */
interface Form {
  readonly name: string;
  readonly datatype: DataType;
  readonly shape: readonly number[];
  /** Where its bytes begin and end. */
  readonly from: number;
  readonly to: number;
}

/**
 * An answer in as few objects as can be: of hundreds of thousands, the garbage collector would be busy with the tensors.
 * Small ones are texts of one byte a character, which have no memory outside of the heap.
 */
export interface PackedAnswer {
  /** Shared by answers of equal form. */
  readonly forms: readonly Form[];
  readonly data: string | Uint8Array;
}

/** Up to so many bytes are a text. */
const mostTextBytes = 2048;
/** Every section begins where any type can. */
const alignment = 8;

/** Packs answers of one model. */
export class AnswerPacker {
  readonly #scratch = Buffer.alloc(mostTextBytes);
  #last: readonly Form[] = [];

  /** @returns undefined for a text that has no UTF-8 */
  pack(answer: Tensors): PackedAnswer | undefined {
    const sections: Uint8Array[] = [];
    let length = 0;
    for (const name in answer) {
      const tensor = answer[name];
      if (tensor === undefined || !isWellFormed(tensor)) return undefined;
      const section = tensorToBytes(tensor);
      sections.push(section);
      length = aligned(length) + section.byteLength;
    }
    const forms = this.#formsOf(answer, sections);
    const isText = length <= mostTextBytes;
    const bytes = isText ? this.#scratch : Buffer.allocUnsafeSlow(length);
    for (let index = 0; index < sections.length; index += 1) {
      const section = sections[index];
      if (section !== undefined) bytes.set(section, forms[index]?.from);
    }
    return { forms, data: isText ? bytes.toString('latin1', 0, length) : bytes };
  }

  /** Each row of an answer; undefined where a tensor does not have as many, or a text has no UTF-8. */
  packRows(answer: Tensors, rows: number): readonly PackedAnswer[] | undefined {
    for (const name in answer) if (answer[name]?.shape[0] !== rows) return undefined;
    const packed: PackedAnswer[] = [];
    for (let row = 0; row < rows; row += 1) {
      const one = this.pack(rows === 1 ? answer : rowOf(answer, row));
      if (one === undefined) return undefined;
      packed.push(one);
    }
    return packed;
  }

  /** Those of the answer before, if they are equal: most are. */
  #formsOf(answer: Tensors, sections: readonly Uint8Array[]): readonly Form[] {
    if (hasForms(answer, sections, this.#last)) return this.#last;
    let end = 0;
    this.#last = Object.entries(answer).map(([name, { datatype, shape }], index) => {
      const from = aligned(end);
      end = from + (sections[index]?.byteLength ?? 0);
      return { name, datatype, shape: [...shape], from, to: end };
    });
    return this.#last;
  }
}

/** The tensors of an answer, in memory of their own. */
export function unpack({ forms, data }: PackedAnswer): Tensors {
  const bytes = bytesOf(data);
  const answer: Record<string, Tensor> = {};
  for (const { name, datatype, shape, from, to } of forms) {
    answer[name] = tensorFromBytes({ datatype, shape: [...shape], section: bytes.subarray(from, to) }, name);
  }
  return answer;
}

export function packedBytes({ data }: PackedAnswer): number {
  return typeof data === 'string' ? data.length : data.byteLength;
}

function bytesOf(data: string | Uint8Array): Uint8Array {
  // The `slice` of a buffer would be a view.
  if (typeof data !== 'string') return new Uint8Array(data);
  // Not from the pool of buffers, which others share.
  const bytes = Buffer.allocUnsafeSlow(data.length);
  bytes.write(data, 'latin1');
  return bytes;
}

function hasForms(answer: Tensors, sections: readonly Uint8Array[], forms: readonly Form[]): boolean {
  let index = 0;
  for (const name in answer) {
    const form = forms[index];
    const tensor = answer[name];
    if (form === undefined || tensor === undefined) return false;
    if (form.name !== name || form.datatype !== tensor.datatype) return false;
    if (form.to - form.from !== sections[index]?.byteLength || !sameShape(form.shape, tensor.shape)) return false;
    index += 1;
  }
  return index === forms.length;
}

export function sameShape(one: readonly number[], other: readonly number[]): boolean {
  if (one.length !== other.length) return false;
  for (let axis = 0; axis < one.length; axis += 1) if (one[axis] !== other[axis]) return false;
  return true;
}

function rowOf(answer: Tensors, row: number): Tensors {
  const one: Record<string, Tensor> = {};
  for (const name in answer) {
    const tensor = answer[name];
    if (tensor !== undefined) one[name] = sliceRows(tensor, row, row + 1);
  }
  return one;
}

function aligned(length: number): number {
  return Math.ceil(length / alignment) * alignment;
}

function isWellFormed(tensor: Tensor): boolean {
  return tensor.datatype !== 'BYTES' || tensor.data.every((text) => text.isWellFormed());
}
