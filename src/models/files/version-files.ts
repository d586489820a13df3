import type { BigIntStats } from 'node:fs';
import { stat } from 'node:fs/promises';
import { basename, dirname, join, normalize } from 'node:path';
import { AppError, toAppError } from '../../errors.ts';
import { labelClassesOf } from '../../onnx-file/label-classes.ts';
import { type OnnxFile, readOnnxFile } from '../../onnx-file/read-onnx-file.ts';
import { type ZipMap, zipMapsOf } from '../../onnx-file/zip-map.ts';
import type { UnservableOutput } from '../../tensor/tensor.ts';
import { unservableOutputs } from '../unservable-outputs.ts';
import { companionFiles } from './companion-files.ts';
import { refuseOutside } from './refuse-outside.ts';

/** All files that one version is made of. */
export interface VersionFiles {
  /** Where the tensors are that are not in the graph's own file, relative to its folder. */
  readonly externalData: readonly string[];
  /** Outputs that cannot be served while there are others; the error where there are none. */
  readonly unservable: readonly UnservableOutput[] | AppError;
  /** Dictionaries among the outputs whose tensors can be served in their place. */
  readonly zipMaps: readonly ZipMap[];
  /** What the values of outputs that are labels are called, in the order of the classes. */
  readonly labelClasses: Readonly<Record<string, string[]>>;
  /** `metadata_props` of the graph. */
  readonly metadata: ReadonlyMap<string, string>;
  /** Changes whenever one of the files does, or comes, or goes. */
  readonly fingerprint: string;
  readonly sizeBytes: number;
  /** Why the files are no whole version: one is missing, or is not in the repository. */
  readonly problem: AppError | undefined;
}

interface Known extends Pick<VersionFiles, 'externalData' | 'unservable' | 'zipMaps' | 'labelClasses' | 'metadata'> {
  readonly fingerprint: string;
}

/**
 * What has been read of each graph, by its path: a repository is looked at every second, and a large graph takes longer
 * to read than its whole folder to look at.
 */
const known = new Map<string, Known>();
const mostKnown = 10_000;

/**
 * The files of a version: the graph, its external data, and what says how it is used.
 *
 * @param root the repository, which all of them must be in
 * @param path the graph, which exists
 * @param folders where its companions may lie
 */
export async function versionFiles(root: string, path: string, folders: readonly string[]): Promise<VersionFiles> {
  const graph = await stat(path, { bigint: true });
  const { externalData, ...described } = await readGraph(path, fingerprintOf(graph));
  const parts = [fingerprintOf(graph)];
  let sizeBytes = Number(graph.size);
  let problem: AppError | undefined;
  for (const location of externalData) {
    try {
      const found = await externalFile(root, path, location);
      parts.push(fingerprintOf(found));
      sizeBytes += Number(found.size);
    } catch (thrown) {
      parts.push('missing');
      problem ??= toAppError(thrown);
    }
  }
  for (const companion of await companionFiles(folders)) {
    parts.push(`${companion.name} ${fingerprintOf(companion.stat)}`);
  }
  return { externalData, ...described, fingerprint: parts.join(' '), sizeBytes, problem };
}

async function externalFile(root: string, path: string, location: string): Promise<BigIntStats> {
  if (!isInside(location)) {
    throw new AppError('MODEL_LOAD_FAILED', {
      message: `${basename(path)} keeps tensors at ${JSON.stringify(location)}, which escapes the folder of the model`,
      received: location,
    });
  }
  const file = join(dirname(path), location);
  await refuseOutside(root, file);
  const found = await stat(file, { bigint: true });
  if (found.isFile()) return found;
  throw new AppError('MODEL_LOAD_FAILED', {
    message: `${basename(path)} keeps tensors at ${location}, which is no file`,
  });
}

/** ONNX allows a relative POSIX path that stays beside the graph. */
function isInside(location: string): boolean {
  if (location.includes('\0') || location.includes('\\') || location.startsWith('/')) return false;
  return !normalize(location).split('/').includes('..');
}

/** Of a file that is no ONNX nothing is known; ONNX Runtime says what is wrong with it. */
async function readGraph(path: string, fingerprint: string): Promise<Known> {
  const before = known.get(path);
  if (before?.fingerprint === fingerprint) return before;
  const read = await readOnnxFile(path).then(
    (file) => ({ fingerprint, ...describe(file) }),
    () => ({
      fingerprint,
      externalData: [],
      unservable: [],
      zipMaps: [],
      labelClasses: {},
      metadata: new Map<string, string>(),
    }),
  );
  if (known.size >= mostKnown) known.clear();
  known.set(path, read);
  return read;
}

function describe(file: OnnxFile): Omit<Known, 'fingerprint'> {
  const { externalData, metadata } = file;
  const zipMaps = zipMapsOf(file);
  return {
    externalData,
    metadata,
    zipMaps,
    labelClasses: labelClassesOf(file),
    unservable: unservableOf(file, zipMaps),
  };
}

function unservableOf(file: OnnxFile, zipMaps: readonly ZipMap[]): VersionFiles['unservable'] {
  try {
    return unservableOutputs(file, zipMaps);
  } catch (thrown) {
    return toAppError(thrown);
  }
}

/** Nanoseconds, since a file may be written twice in a millisecond; the inode, since it may be replaced by an older one. */
function fingerprintOf({ size, mtimeNs, ino }: BigIntStats): string {
  return `${size}:${mtimeNs}:${ino}`;
}
