import { existsSync } from 'node:fs';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Storage } from '../storage/storage.ts';

/**
 * Whether something is stored, told by a file beside the embedded database: a start waits for that, which takes seconds, only
 * where there is something to wait for. A Postgres is there or not at once, so that it needs no file.
 */
export class StoredMarker {
  readonly #path: string | undefined;
  #isThere: boolean;

  constructor({ isEmbedded, dataDir }: Pick<Storage, 'isEmbedded' | 'dataDir'>) {
    this.#path = isEmbedded ? join(dataDir, 'traffic-stored') : undefined;
    this.#isThere = this.#path === undefined || existsSync(this.#path);
  }

  /** Whether something may be stored. */
  get isThere(): boolean {
    return this.#isThere;
  }

  async set(isStored: boolean): Promise<void> {
    if (this.#path === undefined || this.#isThere === isStored) return;
    if (isStored) await writeFile(this.#path, '');
    else await rm(this.#path, { force: true });
    this.#isThere = isStored;
  }
}
