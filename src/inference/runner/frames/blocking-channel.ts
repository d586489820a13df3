import { readSync, writeSync } from 'node:fs';
import { head, headBytes } from './frame.ts';

/**
 * The runner's end of the socket. It reads and writes blocking, for a runner has nothing else to do: that spares the
 * event loop's part of the way, and a large message goes straight to where it is used.
 */
export class BlockingChannel {
  readonly #fd: number;
  #buffer = Buffer.allocUnsafeSlow(64 * 1024);
  #start = 0;
  #end = 0;

  constructor(fd: number) {
    this.#fd = fd;
  }

  /** The next frame, valid until the next call; undefined when the other end is closed. */
  read(): Buffer | undefined {
    if (!this.#fill(headBytes)) return undefined;
    const bytes = this.#buffer.readUInt32LE(this.#start + 4 * head.bytes);
    if (!this.#fill(bytes)) return undefined;
    const frame = this.#buffer.subarray(this.#start, this.#start + bytes);
    this.#start += bytes;
    return frame;
  }

  write(frame: Buffer): void {
    let written = 0;
    while (written < frame.byteLength) written += writeSync(this.#fd, frame, written);
  }

  /** Makes sure that `bytes` are there from the start on. */
  #fill(bytes: number): boolean {
    if (this.#end - this.#start >= bytes) return true;
    this.#makeRoom(bytes);
    while (this.#end - this.#start < bytes) {
      const received = readSync(this.#fd, this.#buffer, this.#end, this.#buffer.byteLength - this.#end, null);
      if (received === 0) return false;
      this.#end += received;
    }
    return true;
  }

  #makeRoom(bytes: number): void {
    if (this.#start === this.#end) {
      this.#start = 0;
      this.#end = 0;
    }
    if (this.#start + bytes <= this.#buffer.byteLength) return;
    const waiting = this.#buffer.subarray(this.#start, this.#end);
    // Frames start at multiples of 16, and so must the first byte here, or tensors would not be aligned.
    const roomy = bytes <= this.#buffer.byteLength ? this.#buffer : Buffer.allocUnsafeSlow(bytes);
    waiting.copy(roomy, 0);
    this.#buffer = roomy;
    this.#end -= this.#start;
    this.#start = 0;
  }
}
