import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { AppError } from '../../errors.ts';
import { replaceZipMaps } from '../../onnx-file/zip-map.ts';
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
  /** Class names in the order of the columns, by the outputs that the graph has them for. */
  readonly labels: Readonly<Record<string, string[]>>;
  /** What the values of outputs that are labels are called, in the order of the classes. */
  readonly labelClasses: Readonly<Record<string, string[]>>;
  /** `metadata_props` of the graph. */
  readonly metadata: ReadonlyMap<string, string>;
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
 * copy can be made, runners read the file. A graph with dictionaries among its outputs is copied too, with their tensors
 * in their place.
 *
 * @throws AppError `MODEL_LOAD_FAILED` when a file is missing, leaves the repository, or changes meanwhile, or when no
 *   output can be served; the reason of the signal
 */
export async function openLoadSource(file: OnnxArtifact, { warn, signal }: OpenOptions): Promise<LoadSource> {
  const { root, path, folders } = file;
  await refuseOutside(root, path);
  const files = await versionFiles(root, path, folders);
  if (files.problem !== undefined) throw files.problem;
  const check = () => refuseChanged(file, files);
  const { unservable, metadata, zipMaps, labelClasses } = files;
  if (unservable instanceof AppError) throw unservable;
  const labels = Object.fromEntries(zipMaps.map(({ output, classes }) => [output, [...classes]]));
  const description = { unservable, labels, labelClasses, metadata };
  const inPlace = { path, ...description, readIntoMemory: [], check, remove: async () => {} };
  const mayChange = files.externalData.length > 0 && file.ownedByServer !== true;
  if (zipMaps.length === 0 && !mayChange) return inPlace;
  try {
    return { ...(await copy(path, files, { check, signal })), ...description };
  } catch (thrown) {
    signal?.throwIfAborted();
    // Without a copy there is no graph without dictionaries.
    if (!(thrown instanceof Error) || thrown instanceof AppError || zipMaps.length > 0) throw thrown;
    warn(thrown);
    return { ...inPlace, readIntoMemory: files.externalData };
  }
}

async function copy(
  path: string,
  files: VersionFiles,
  { check, signal }: { readonly check: () => Promise<void>; readonly signal: AbortSignal | undefined },
): Promise<Pick<LoadSource, 'path' | 'readIntoMemory' | 'check' | 'remove'>> {
  const folder = await makePrivateFolder('model');
  try {
    const [graph, ...others] = [basename(path), ...files.externalData];
    for (const name of files.zipMaps.length > 0 ? others : [graph, ...others]) {
      const target = join(folder.path, name);
      await mkdir(dirname(target), { recursive: true });
      await copyFile(join(dirname(path), name), target, signal);
    }
    if (files.zipMaps.length > 0) {
      const bytes = await readFile(path, { ...(signal !== undefined && { signal }) });
      await writeFile(join(folder.path, graph), replaceZipMaps(bytes, files.zipMaps));
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

async function refuseChanged({ version, root, path, folders }: OnnxArtifact, before: VersionFiles): Promise<void> {
  // A link may lead elsewhere by now.
  await refuseOutside(root, path);
  const { fingerprint, problem } = await versionFiles(root, path, folders);
  if (fingerprint === before.fingerprint) return;
  throw new AppError('MODEL_LOAD_FAILED', {
    message: `The files of version ${version} have changed since they were looked at; load it again`,
    cause: problem,
  });
}
