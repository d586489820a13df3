import { readFile, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { toAppError } from '../errors.ts';
import { companionFiles } from '../models/files/companion-files.ts';
import { refuseOutside } from '../models/files/refuse-outside.ts';
import type { FaceMaterial } from '../models/version-face.ts';
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
  readonly #root: string;
  readonly #files: ReadonlyMap<string, CompanionFile>;

  /** @param root the repository, which every file must be in */
  constructor(root: string, files: readonly CompanionFile[]) {
    this.#root = root;
    this.#files = new Map(files.map((file) => [file.name, file]));
  }

  has(name: string): boolean {
    return this.#files.has(name);
  }

  /** Path of a file; undefined when there is none. */
  path(name: string): string | undefined {
    return this.#files.get(name)?.path;
  }

  /**
   * The bytes of a file that one of the companions names.
   *
   * @param name of a file in the same folder
   * @throws AppError `FACE_INVALID` for what is no file, is too large, or leaves the repository
   */
  async beside(companion: string, name: string, mostBytesOfFile: number): Promise<Uint8Array> {
    const path = join(dirname(this.#files.get(companion)?.path ?? this.#root), name);
    const found = await refuseOutside(this.#root, path)
      .then(() => stat(path))
      .catch((cause: unknown) => {
        throw invalidFace([`${companion}: ${toAppError(cause).message}`], cause);
      });
    if (!found.isFile()) throw invalidFace([`${companion}: ${name} is no file`]);
    if (found.size > mostBytesOfFile) {
      throw invalidFace([`${companion}: ${name} has ${found.size} bytes, expected at most ${mostBytesOfFile}`]);
    }
    return readFile(path);
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

/**
 * The files beside the graph of a version.
 *
 * @throws AppError for a file outside of the repository
 */
export async function readCompanions({ root, folders }: Pick<FaceMaterial, 'root' | 'folders'>): Promise<Companions> {
  const files = await companionFiles(folders);
  for (const { path } of files) await refuseOutside(root, path);
  return new Companions(
    root,
    files.map(({ name, path, stat }) => ({ name, path, sizeBytes: Number(stat.size) })),
  );
}
