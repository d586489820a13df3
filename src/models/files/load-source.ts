import { mkdir } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { AppError } from '../../errors.ts';
import type { UnservableOutput } from '../../tensor/tensor.ts';
import type { OnnxArtifact } from '../artifact.ts';
import { copyFile } from './copy-file.ts';
import { makePrivateFolder } from './private-folder.ts';
import { refuseOutside } from './refuse-outside.ts';
import { type VersionFiles, versionFiles } from './version-files.ts';

/** What runners load a version from. */
export interface LoadSource {
  /** Path of the graph. */
  readonly path: string;
  /** Outputs that cannot be served; there are others. */
  readonly unservable: readonly UnservableOutput[];
  /** External data that runners have to read, since a mapping of it would change with the file. */
  readonly readIntoMemory: readonly string[];
  /** To be called before and after a runner loads: whether the files are what they were. */
  check(): Promise<void>;
  /** Deletes what was made for it; to be called when no runner needs it any more. */
  remove(): Promise<void>;
}

export interface OpenOptions {
  /** Called with the reason when no copy could be made. */
  readonly warn: (why: Error) => void;
  /** Ends a copy that is under way. @default never */
  readonly signal?: AbortSignal;
}

/**
 * Makes ready what runners load a version from, whenever one has to start. ONNX Runtime maps external data, so that a
 * file that is overwritten would change the answers of a model that is loaded, or kill its runners by a bus error when
 * it becomes shorter. So there is a copy of it, which takes no room where the file system can share blocks; where no
 * copy can be made, runners read the file.
 *
 * @throws AppError `MODEL_LOAD_FAILED` when a file is missing, leaves the repository, or changes meanwhile, or when no
 *   output can be served; the reason of the signal
 */
export async function openLoadSource(file: OnnxArtifact, { warn, signal }: OpenOptions): Promise<LoadSource> {
  const { root, path } = file;
  await refuseOutside(root, path);
  const files = await versionFiles(root, path);
  if (files.problem !== undefined) throw files.problem;
  const check = () => refuseChanged(file, files);
  const { unservable } = files;
  if (unservable instanceof AppError) throw unservable;
  const inPlace = { path, unservable, readIntoMemory: [], check, remove: async () => {} };
  if (files.externalData.length === 0 || file.ownedByServer === true) return inPlace;
  try {
    return { ...(await copy(path, files, { check, signal })), unservable };
  } catch (thrown) {
    signal?.throwIfAborted();
    if (!(thrown instanceof Error) || thrown instanceof AppError) throw thrown;
    warn(thrown);
    return { ...inPlace, readIntoMemory: files.externalData };
  }
}

async function copy(
  path: string,
  files: VersionFiles,
  { check, signal }: { readonly check: () => Promise<void>; readonly signal: AbortSignal | undefined },
): Promise<Omit<LoadSource, 'unservable'>> {
  const folder = await makePrivateFolder('model');
  try {
    for (const name of [basename(path), ...files.externalData]) {
      const target = join(folder.path, name);
      await mkdir(dirname(target), { recursive: true });
      await copyFile(join(dirname(path), name), target, signal);
    }
    await check();
    return {
      path: join(folder.path, basename(path)),
      readIntoMemory: [],
      check: async () => {},
      remove: () => folder.remove(),
    };
  } catch (error) {
    await folder.remove();
    throw error;
  }
}

async function refuseChanged({ version, root, path }: OnnxArtifact, before: VersionFiles): Promise<void> {
  // A link may lead elsewhere by now.
  await refuseOutside(root, path);
  const { fingerprint, problem } = await versionFiles(root, path);
  if (fingerprint === before.fingerprint) return;
  throw new AppError('MODEL_LOAD_FAILED', {
    message: `The files of version ${version} have changed since they were looked at; load it again`,
    cause: problem,
  });
}
