import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { AppError } from '../../errors.ts';
import { makePrivateFolder } from '../files/private-folder.ts';
import { checkModelName, isVersion } from './model-folder.ts';
import { type ModelFolder, scanRepository } from './repository.ts';

/** A model that comes with a request instead of from the repository. */
export interface ModelUpload {
  /** The text of a `model.json`, which takes the place of the one on disk. */
  readonly config: string;
  /** Files by their paths in the folder of the model, such as `1/model.onnx`. None: those on disk. */
  readonly files: ReadonlyMap<string, Uint8Array>;
}

/** A version folder, perhaps a folder in it, and a file, none of which can lead anywhere else. */
const filePath = /^([0-9]+)\/(?:[A-Za-z0-9][A-Za-z0-9._-]{0,63}\/)?[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/;

/** An upload that has been written to disk, where its runners find it whenever one has to start. */
export interface WrittenUpload {
  readonly folder: ModelFolder;
  /** Deletes the files; to be called when no runner needs them any more. */
  remove(): Promise<void>;
}

/**
 * Writes an upload to a temporary folder.
 *
 * @throws AppError `MODEL_LOAD_FAILED` when the name or a path cannot be used, or the files are no model
 */
export async function writeUpload(name: string, { config, files }: ModelUpload): Promise<WrittenUpload> {
  checkModelName(name);
  for (const path of files.keys()) checkPath(path);
  const { path: root, remove } = await makePrivateFolder('upload');
  try {
    for (const [path, content] of [['model.json', config] as const, ...files]) {
      const target = join(root, name, path);
      await mkdir(dirname(target), { recursive: true });
      await writeFile(target, content);
    }
    const [folder] = await scanRepository(root, { ownedByServer: true });
    if (folder === undefined) throw new AppError('MODEL_LOAD_FAILED', { message: 'The upload holds no model' });
    if ('error' in folder) throw folder.error;
    return { folder, remove };
  } catch (error) {
    await remove();
    throw error;
  }
}

function checkPath(path: string): void {
  const [, version] = filePath.exec(path) ?? [];
  if (version !== undefined && isVersion(version)) return;
  throw new AppError('MODEL_LOAD_FAILED', {
    message: `The path ${JSON.stringify(path)} cannot be used: expected <version>/<file>, such as 1/model.onnx`,
    received: path,
    expected: filePath.source,
  });
}
