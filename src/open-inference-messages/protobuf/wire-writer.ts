import { Buffer } from 'node:buffer';
import { wireTypes } from './wire-reader.ts';

const textEncoder = new TextEncoder();

/** Writes the wire format of protocol buffers into one buffer that grows; bytes are copied into it once. */
export class WireWriter {
  #bytes: Buffer = Buffer.allocUnsafe(256);
  #length = 0;

  /** What has been written. */
  finish(): Buffer {
    return this.#bytes.subarray(0, this.#length);
  }

  tag(field: number, wireType: number): void {
    this.varint((field << 3) | wireType);
  }

  /** A whole number from 0 to 2^53. */
  varint(value: number): void {
    this.#reserve(10);
    let rest = value;
    while (rest > 0x7f) {
      this.#bytes[this.#length++] = (rest % 0x80) | 0x80;
      rest = Math.floor(rest / 0x80);
    }
    this.#bytes[this.#length++] = rest;
  }

  /** Any 64-bit number; a negative one is written as its two's complement. */
  bigVarint(value: bigint): void {
    this.#reserve(10);
    let rest = BigInt.asUintN(64, value);
    while (rest > 0x7fn) {
      this.#bytes[this.#length++] = Number(rest & 0x7fn) | 0x80;
      rest >>= 7n;
    }
    this.#bytes[this.#length++] = Number(rest);
  }

  double(value: number): void {
    this.#reserve(8);
    this.#length = this.#bytes.writeDoubleLE(value, this.#length);
  }

  /** A writer for what a length-delimited field holds. */
  nested(): WireWriter {
    return new WireWriter();
  }

  /** A length-delimited field. */
  field(number: number, value: Uint8Array): void {
    this.tag(number, wireTypes.lengthDelimited);
    this.varint(value.byteLength);
    this.#reserve(value.byteLength);
    this.#bytes.set(value, this.#length);
    this.#length += value.byteLength;
  }

  text(number: number, value: string): void {
    this.field(number, textEncoder.encode(value));
  }

  #reserve(byteLength: number): void {
    const needed = this.#length + byteLength;
    if (needed <= this.#bytes.byteLength) return;
    const grown = Buffer.allocUnsafe(Math.max(needed + 256, 2 * this.#bytes.byteLength));
    grown.set(this.finish());
    this.#bytes = grown;
  }
}
