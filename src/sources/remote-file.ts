import type { Digest } from './digest.ts';

/** A file somewhere else that can be read from any byte on. */
export interface RemoteFile {
  /** Its name for people. */
  readonly name: string;
  /**
   * Reads the file from a byte on, as long as it still has the tag; else, or where the server cannot, from its start.
   *
   * @throws RefusedByServer when asking again will not help
   * @throws SourceChanged when the file is not the one that was listed
   */
  open(from: Resumption, signal: AbortSignal): Promise<RemoteBody>;
}

export interface Resumption {
  /** First byte that is wanted. */
  readonly firstByte: number;
  /** Tag of the file that the earlier bytes belong to. */
  readonly tag: string | undefined;
}

export interface RemoteBody {
  /** First byte of the stream: the one asked for, or 0. */
  readonly firstByte: number;
  /** Size of the whole file, where the server tells. */
  readonly totalBytes: number | undefined;
  /** Changes when the file does; absent where the server has none that is exact. */
  readonly tag: string | undefined;
  /** Digests of the whole file that the server vouches for, the strongest first. */
  readonly digests: readonly Digest[];
  /** Taken at once: a body that is not read yet is cancelled when its response is garbage-collected. */
  readonly reader: ReadableStreamDefaultReader<Uint8Array>;
}

/** The server will not give the file: it is not there, or not for us. */
export class RefusedByServer extends Error {
  override readonly name = 'RefusedByServer';
  readonly status: number;

  constructor(status: number, message: string, options?: ErrorOptions) {
    super(message, options);
    this.status = status;
  }
}

/** The file has changed since it was listed. */
export class SourceChanged extends Error {
  override readonly name = 'SourceChanged';
}

/** Whether a status stands for a fault that passes: too slow, too many requests, or a fault of the server. */
export function isPassing(status: number): boolean {
  return status === 408 || status === 429 || status >= 500;
}
