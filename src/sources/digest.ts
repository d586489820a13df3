import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { crc32 } from 'node:zlib';
import { Crc64 } from './crc64.ts';

/** What a file must hash to, in lower-case hexadecimal digits. */
export type Digest =
  | { readonly algorithm: 'sha256' | 'sha1' | 'md5' | 'crc64nvme' | 'crc32'; readonly value: string }
  /** The ETag of an S3 object that came in parts: MD5 of the MD5s of its parts, then how many there are. */
  | { readonly algorithm: 'md5-of-parts'; readonly value: string; readonly partBytes: number };

interface Hasher {
  update(bytes: Uint8Array): void;
  digest(): string;
}

/** Hashes a file by the algorithm of `like`; the result can be compared with its `value`. */
export async function hashFile(path: string, like: Digest, signal?: AbortSignal): Promise<string> {
  const hasher = createHasher(like);
  const stream = createReadStream(path, { highWaterMark: 1 << 20, ...(signal !== undefined && { signal }) });
  for await (const chunk of stream) hasher.update(chunk);
  return hasher.digest();
}

export function sha256File(path: string, signal?: AbortSignal): Promise<string> {
  return hashFile(path, { algorithm: 'sha256', value: '' }, signal);
}

function createHasher(digest: Digest): Hasher {
  switch (digest.algorithm) {
    case 'crc64nvme':
      return new Crc64();
    case 'crc32':
      return new Crc32();
    case 'md5-of-parts':
      return new PartsMd5(digest.partBytes);
    default:
      return new NodeHash(digest.algorithm);
  }
}

class NodeHash implements Hasher {
  readonly #hash: ReturnType<typeof createHash>;

  constructor(algorithm: string) {
    this.#hash = createHash(algorithm);
  }

  update(bytes: Uint8Array): void {
    this.#hash.update(bytes);
  }

  digest(): string {
    return this.#hash.digest('hex');
  }
}

class Crc32 implements Hasher {
  #value = 0;

  update(bytes: Uint8Array): void {
    this.#value = crc32(bytes, this.#value);
  }

  digest(): string {
    return this.#value.toString(16).padStart(8, '0');
  }
}

class PartsMd5 implements Hasher {
  readonly #partBytes: number;
  readonly #parts: Buffer[] = [];
  #part = createHash('md5');
  #filledBytes = 0;

  constructor(partBytes: number) {
    this.#partBytes = partBytes;
  }

  update(bytes: Uint8Array): void {
    for (let start = 0; start < bytes.length; ) {
      if (this.#filledBytes === this.#partBytes) this.#endPart();
      const slice = bytes.subarray(start, start + this.#partBytes - this.#filledBytes);
      this.#part.update(slice);
      this.#filledBytes += slice.length;
      start += slice.length;
    }
  }

  digest(): string {
    this.#endPart();
    const hash = createHash('md5').update(Buffer.concat(this.#parts)).digest('hex');
    return `${hash}-${this.#parts.length}`;
  }

  #endPart(): void {
    this.#parts.push(this.#part.digest());
    this.#part = createHash('md5');
    this.#filledBytes = 0;
  }
}
