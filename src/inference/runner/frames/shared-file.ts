import { closeSync, ftruncateSync, openSync, readSync, unlinkSync, writevSync } from 'node:fs';

/** From this many bytes on, a shared file is the faster way; see docs/decisions/0001-tensor-transport.md. */
export const sharedFromBytes = 32 * 1024;

/** Most bytes that one message may have in the file; larger ones go over the socket. */
const regionBytes = 16 * 1024 * 1024;

const toRunner = 0;
const fromRunner = 2;
const regions = 4;

/**
 * A file in memory that a runner and the main process have both open, for the elements of large tensors. The socket
 * tells of them. It has two regions for each direction, used in turn: no more than two runs are under way at a runner,
 * and the elements of a run are read before the one after the next is sent.
 */
export class SharedFile {
  readonly fd: number;

  constructor(fd: number) {
    this.fd = fd;
  }

  /** A new file without a name, so that nothing is left of it when both processes are gone. Undefined where the system has no file system in memory. */
  static create(name: string): SharedFile | undefined {
    const path = `/dev/shm/${name}`;
    try {
      const fd = openSync(path, 'wx+', 0o600);
      unlinkSync(path);
      // What is read is rounded up to whole words, which may lie behind the last byte written. Holes take no memory.
      ftruncateSync(fd, regions * regionBytes);
      return new SharedFile(fd);
    } catch {
      return undefined;
    }
  }

  close(): void {
    closeSync(this.fd);
  }

  /** Writes the elements of run number `run` to the runner; false if they do not fit. */
  writeToRunner(run: number, pieces: readonly Piece[]): boolean {
    return this.#write(toRunner + (run % 2), pieces);
  }

  readInRunner(run: number, target: Buffer): void {
    this.#read(toRunner + (run % 2), target);
  }

  /** Writes the elements of the outputs of run number `run` back; false if they do not fit. */
  writeFromRunner(run: number, pieces: readonly Piece[]): boolean {
    return this.#write(fromRunner + (run % 2), pieces);
  }

  readFromRunner(run: number, target: Buffer): void {
    this.#read(fromRunner + (run % 2), target);
  }

  #write(region: number, pieces: readonly Piece[]): boolean {
    try {
      return pieces.every(({ at, buffers, bytes }) => {
        if (bytes === 0) return true;
        if (at + bytes > regionBytes) return false;
        return writevSync(this.fd, buffers, region * regionBytes + at) === bytes;
      });
    } catch {
      // The file system in memory is full, as it soon is in a container: the socket carries everything too.
      return false;
    }
  }

  #read(region: number, target: Buffer): void {
    let at = 0;
    while (at < target.byteLength) {
      const bytes = readSync(this.fd, target, at, target.byteLength - at, region * regionBytes + at);
      if (bytes === 0) throw new Error('the shared file ended early');
      at += bytes;
    }
  }
}

/** Elements that go to one place. */
export interface Piece {
  readonly at: number;
  readonly bytes: number;
  readonly buffers: readonly NodeJS.ArrayBufferView[];
}
