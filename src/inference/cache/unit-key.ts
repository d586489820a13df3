import { createHash, hash } from 'node:crypto';
import { tensorToBytes } from '../../tensor/binary-codec.ts';
import { rowElements, sliceElements } from '../../tensor/rows.ts';
import type { Tensor, TensorSpec } from '../../tensor/tensor.ts';
import { sameShape } from './packed-answer.ts';

/** What a key tells apart beside the inputs. */
export interface KeyScope {
  readonly model: string;
  /** What answers: equal identities give equal answers. */
  readonly identity: string;
  /** The key of the caller, where answers are for it alone. */
  readonly callerKey: string | undefined;
  /** Names of the wanted outputs, in the order of the signature. */
  readonly outputs: readonly string[];
  readonly unit: 'row' | 'request';
}

/** Up to this size the parts are joined first: one call of the hash costs less than several. */
const scratchBytes = 16 * 1024;
const encoder = new TextEncoder();

/** The bytes that all keys of a scope begin with. JSON tells where each part ends. */
export function scopeBytes({ model, identity, callerKey, outputs, unit }: KeyScope): Uint8Array {
  return withLength(
    encoder.encode(JSON.stringify(['inferd-cache-1', model, identity, callerKey ?? null, outputs, unit])),
  );
}

/**
 * Makes keys of units: the SHA-256 of their scope and of each input with its name, type, shape and little-endian bytes,
 * lengths included. Its memory is used for one key after the other.
 */
export class UnitKeys {
  readonly #scratch = new Uint8Array(scratchBytes);
  readonly #specs: readonly TensorSpec[];
  /** The header of each input that was made last: most requests have the same. */
  readonly #headers: HeaderOfShape[] = [];

  /** @param specs the inputs, in the order of all keys */
  constructor(specs: readonly TensorSpec[]) {
    this.#specs = specs;
  }

  /** @param inputs in the order of the specs */
  ofRequest(scope: Uint8Array, inputs: readonly Tensor[]): string {
    const parts = [scope];
    for (const [index, tensor] of inputs.entries()) {
      const bytes = tensorToBytes(tensor);
      parts.push(this.#header(index, tensor.shape, bytes.byteLength), bytes);
    }
    return this.#digest(parts);
  }

  /** A key for each row, in order. */
  ofRows(scope: Uint8Array, inputs: readonly Tensor[], rows: number): readonly string[] {
    const sections = inputs.map((tensor, index) => this.#rowsOf(index, tensor, rows));
    const keys: string[] = [];
    for (let row = 0; row < rows; row += 1) {
      const parts = [scope];
      for (const section of sections) section(row, parts);
      keys.push(this.#digest(parts));
    }
    return keys;
  }

  /** Gives header and bytes of a row. */
  #rowsOf(index: number, tensor: Tensor, rows: number): (row: number, parts: Uint8Array[]) => void {
    const shape = [1, ...tensor.shape.slice(1)];
    if (tensor.datatype === 'BYTES') {
      const elements = rowElements(shape);
      return (row, parts) => {
        const bytes = tensorToBytes(sliceElements(tensor, shape, row * elements, (row + 1) * elements));
        parts.push(this.#header(index, shape, bytes.byteLength), bytes);
      };
    }
    const bytes = tensorToBytes(tensor);
    const length = bytes.byteLength / rows;
    const header = this.#header(index, shape, length);
    return (row, parts) => parts.push(header, bytes.subarray(row * length, (row + 1) * length));
  }

  #header(index: number, shape: readonly number[], byteLength: number): Uint8Array {
    const last = this.#headers[index];
    if (last !== undefined && last.byteLength === byteLength && sameShape(last.shape, shape)) return last.bytes;
    const spec = this.#specs[index];
    const bytes = withLength(encoder.encode(JSON.stringify([spec?.name, spec?.datatype, shape, byteLength])));
    this.#headers[index] = { shape: [...shape], byteLength, bytes };
    return bytes;
  }

  #digest(parts: readonly Uint8Array[]): string {
    let length = 0;
    for (const part of parts) length += part.byteLength;
    if (length <= scratchBytes) {
      let offset = 0;
      for (const part of parts) {
        this.#scratch.set(part, offset);
        offset += part.byteLength;
      }
      return hash('sha256', this.#scratch.subarray(0, length), 'binary');
    }
    const sum = createHash('sha256');
    for (const part of parts) sum.update(part);
    return sum.digest('binary');
  }
}

interface HeaderOfShape {
  readonly shape: readonly number[];
  readonly byteLength: number;
  readonly bytes: Uint8Array;
}

function withLength(bytes: Uint8Array): Uint8Array {
  const framed = new Uint8Array(4 + bytes.byteLength);
  new DataView(framed.buffer).setUint32(0, bytes.byteLength, true);
  framed.set(bytes, 4);
  return framed;
}
