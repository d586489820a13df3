import { head, headBytes } from './frame.ts';

/** Cuts the chunks that a socket gives into frames. A frame that lies whole inside a chunk is handed on uncopied. */
export class FrameReader {
  readonly #onFrame: (frame: Buffer) => void;
  /** The frame that is coming in, and how much of it is here. Its length is unknown while the head is incomplete. */
  #partial: Buffer | undefined;
  #received = 0;
  #head = Buffer.alloc(headBytes);
  #headReceived = 0;

  constructor(onFrame: (frame: Buffer) => void) {
    this.#onFrame = onFrame;
  }

  push(chunk: Buffer): void {
    let at = 0;
    while (at < chunk.byteLength) {
      at = this.#partial === undefined ? this.#begin(chunk, at) : this.#goOn(this.#partial, chunk, at);
    }
  }

  /** Takes a frame from its beginning; gives how far the chunk is read. */
  #begin(chunk: Buffer, at: number): number {
    const available = chunk.byteLength - at;
    if (this.#headReceived === 0 && available >= headBytes) {
      const bytes = chunk.readUInt32LE(at + 4 * head.bytes);
      const aligned = (chunk.byteOffset + at) % 8 === 0;
      if (available >= bytes && aligned) {
        this.#onFrame(chunk.subarray(at, at + bytes));
        return at + bytes;
      }
    }
    const copied = chunk.copy(this.#head, this.#headReceived, at, at + headBytes - this.#headReceived);
    this.#headReceived += copied;
    if (this.#headReceived === headBytes) {
      this.#partial = Buffer.allocUnsafeSlow(this.#head.readUInt32LE(4 * head.bytes));
      this.#received = this.#head.copy(this.#partial);
      this.#headReceived = 0;
      this.#finishIfWhole();
    }
    return at + copied;
  }

  #goOn(partial: Buffer, chunk: Buffer, at: number): number {
    const copied = chunk.copy(partial, this.#received, at);
    this.#received += copied;
    this.#finishIfWhole();
    return at + copied;
  }

  #finishIfWhole(): void {
    const frame = this.#partial;
    if (frame === undefined || this.#received < frame.byteLength) return;
    this.#partial = undefined;
    this.#received = 0;
    this.#onFrame(frame);
  }
}
