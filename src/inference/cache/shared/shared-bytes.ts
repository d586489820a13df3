/** A value that is kept elsewhere. */
export interface SharedValue {
  readonly bytes: Uint8Array;
  /** How long it is still kept. */
  readonly ttlMs: number;
}

/** Where servers keep values together, such as Redis. Every call may fail, and may take as long as it likes. */
export interface SharedBytes {
  /** @returns for each key what is there */
  get(keys: readonly string[]): Promise<readonly (SharedValue | undefined)[]>;
  set(key: string, bytes: Uint8Array, ttlMs: number): Promise<void>;
  /** Forgets every key that begins so. @returns how many there were */
  clear(prefix: string): Promise<number>;
}
