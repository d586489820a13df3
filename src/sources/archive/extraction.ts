import { createWriteStream } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { AppError } from '../../errors.ts';
import { safePathParts } from '../safe-path.ts';

const maxEntries = 100_000;

/** A folder that an archive is unpacked into: it takes folders and files below it, in reasonable number and size. */
export class Extraction {
  readonly #folder: string;
  readonly #maxBytes: number;
  readonly #signal: AbortSignal | undefined;
  #bytes = 0;
  #entries = 0;

  /** @param signal ends the unpacking. @default never */
  constructor(folder: string, maxBytes: number, signal?: AbortSignal) {
    this.#folder = folder;
    this.#maxBytes = maxBytes;
    this.#signal = signal;
  }

  async addFolder(path: string): Promise<void> {
    this.#countEntry();
    await mkdir(join(this.#folder, ...safePathParts(path)), { recursive: true });
  }

  /** @throws AppError `MODELS_FETCH_FAILED` for a path that leaves the folder or is there already, and for a bomb */
  async addFile(path: string, content: AsyncIterable<Uint8Array>): Promise<void> {
    this.#countEntry();
    const target = join(this.#folder, ...safePathParts(path));
    await mkdir(dirname(target), { recursive: true });
    // "wx": what is there is never followed nor written over.
    const file = createWriteStream(target, { flags: 'wx', mode: 0o644 });
    await pipeline(this.#counted(content), file, this.#signal === undefined ? {} : { signal: this.#signal });
  }

  async *#counted(content: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
    for await (const chunk of content) {
      this.#bytes += chunk.length;
      if (this.#bytes > this.#maxBytes) throw refused(`it unpacks to more than ${this.#maxBytes} bytes`);
      yield chunk;
    }
  }

  #countEntry(): void {
    this.#signal?.throwIfAborted();
    this.#entries += 1;
    if (this.#entries > maxEntries) throw refused(`it has more than ${maxEntries} entries`);
  }
}

export function refused(reason: string, cause?: unknown): AppError {
  return new AppError('MODELS_FETCH_FAILED', { message: `The archive is refused: ${reason}`, cause });
}
