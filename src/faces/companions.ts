import { readFile } from 'node:fs/promises';
import { invalidFace } from './face-faults.ts';

const mostBytes = { tokenizer: 64 * 2 ** 20, other: 2 ** 20 } as const;

/** A file beside a graph. */
export interface CompanionFile {
  readonly name: string;
  readonly path: string;
  readonly sizeBytes: number;
}

/** The files beside a graph that say how its model is used. Nothing of them is executed, and nothing is fetched. */
export class Companions {
  readonly #files: ReadonlyMap<string, CompanionFile>;

  constructor(files: readonly CompanionFile[]) {
    this.#files = new Map(files.map((file) => [file.name, file]));
  }

  has(name: string): boolean {
    return this.#files.has(name);
  }

  /** Path of a file; undefined when there is none. */
  path(name: string): string | undefined {
    return this.#files.get(name)?.path;
  }

  /** @throws AppError `FACE_INVALID` for a file that is larger than any of its kind */
  checkSize(name: string, mostOther: number = mostBytes.other): void {
    const { sizeBytes = 0 } = this.#files.get(name) ?? {};
    const most = name === 'tokenizer.json' ? mostBytes.tokenizer : mostOther;
    if (sizeBytes > most) throw invalidFace([`${name}: it has ${sizeBytes} bytes, expected at most ${most}`]);
  }

  /**
   * The members of a JSON object in a file; undefined when there is no such file.
   *
   * @throws AppError `FACE_INVALID` for a file that is too large, or is something else
   */
  async object(name: string): Promise<Readonly<Record<string, unknown>> | undefined> {
    const value = await this.json(name);
    if (value === undefined) return undefined;
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return { ...value };
    throw invalidFace([`${name}: expected an object`]);
  }

  /**
   * The value of a JSON file; undefined when there is no such file.
   *
   * @throws AppError `FACE_INVALID` for a file that is too large, or is not JSON
   */
  async json(name: string): Promise<unknown> {
    const file = this.#files.get(name);
    if (file === undefined) return undefined;
    this.checkSize(name);
    const text = await readFile(file.path, 'utf8');
    try {
      return JSON.parse(text.replace(/^\uFEFF/, ''));
    } catch (cause) {
      throw invalidFace([`${name}: it is not valid JSON`], cause);
    }
  }
}
