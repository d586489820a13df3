import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { toStorageError } from '../../storage/storage-error.ts';

/** What the value of a task is: what was asked for, or what a claim made of it. */
export type ValueName = 'input' | `result-${number}`;

/**
 * Large inputs and results as files beside the embedded database, which would hold each in memory several times. On
 * Postgres they are in the row: the workers of other machines must read them, and Postgres itself keeps them aside.
 */
export class LargeValues {
  readonly #folder: string;
  readonly #leastBytes: number;

  /** @param leastBytes what is smaller is kept in the row; infinity: everything */
  constructor(dataDir: string, leastBytes: number) {
    this.#folder = join(dataDir, 'tasks');
    this.#leastBytes = leastBytes;
  }

  isLarge(value: Buffer): boolean {
    return value.byteLength >= this.#leastBytes;
  }

  /**
   * Writes a value so that it outlives the program and the power.
   *
   * @throws AppError `STORAGE_FULL`, `STORAGE_UNAVAILABLE`
   */
  async write(id: string, name: ValueName, value: Buffer): Promise<void> {
    try {
      await mkdir(this.#folder, { recursive: true, mode: 0o700 });
      await writeFile(this.#path(id, name), value, { mode: 0o600, flush: true });
    } catch (thrown) {
      await this.remove(id, name).catch(() => {});
      throw toStorageError(thrown);
    }
  }

  read(id: string, name: ValueName): Promise<Buffer> {
    return readFile(this.#path(id, name));
  }

  async remove(id: string, name: ValueName): Promise<void> {
    await rm(this.#path(id, name), { force: true });
  }

  /** Removes every value of tasks. */
  async removeAll(ids: readonly string[]): Promise<void> {
    if (this.#leastBytes === Number.POSITIVE_INFINITY || ids.length === 0) return;
    const gone = new Set(ids);
    const files = await this.#files();
    await Promise.all(files.filter(({ id }) => gone.has(id)).map(({ path }) => rm(path, { force: true })));
  }

  /**
   * Removes the values that no task has any more: what a program that was killed has left.
   *
   * @param arriving ids of tasks that are not kept yet
   */
  async sweep(
    arriving: ReadonlySet<string>,
    existing: (ids: readonly string[]) => Promise<ReadonlySet<string>>,
  ): Promise<void> {
    // What is in the folder may belong to an embedded database that is not in use now.
    if (this.#leastBytes === Number.POSITIVE_INFINITY) return;
    const files = (await this.#files()).filter(({ id }) => !arriving.has(id));
    const ids = [...new Set(files.map(({ id }) => id))];
    const kept = ids.length === 0 ? new Set() : await existing(ids);
    await Promise.all(files.filter(({ id }) => !kept.has(id)).map(({ path }) => rm(path, { force: true })));
  }

  async #files(): Promise<{ readonly id: string; readonly path: string }[]> {
    const names = await readdir(this.#folder).catch(() => []);
    return names.map((name) => ({ id: name.slice(0, name.indexOf('.')), path: join(this.#folder, name) }));
  }

  #path(id: string, name: ValueName): string {
    return join(this.#folder, `${id}.${name}`);
  }
}
