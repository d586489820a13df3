import { readdir, readFile, realpath, stat } from 'node:fs/promises';
import { basename, dirname, join, relative } from 'node:path';
import { AppError, toAppError } from '../../errors.ts';
import type { Artifact, OnnxArtifact, VersionArtifact } from '../artifact.ts';
import { refuseOutside } from '../files/refuse-outside.ts';
import { versionFiles } from '../files/version-files.ts';
import { defaultManifest, type Manifest, parseManifest } from '../manifest.ts';

/**
 * A model on disk: its manifest, and the versions that its policy selects, highest first; or why it cannot be used.
 * `older` are versions that are there and not selected only because others are higher: one that serves may go on.
 */
export type ModelFolder<Kind extends VersionArtifact = Artifact> = { readonly name: string } & (
  | { readonly manifest: Manifest; readonly versions: readonly Kind[]; readonly older?: readonly string[] }
  | { readonly error: AppError }
);

const modelName = /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/;
/** Up to 2^63 − 1, as other servers have it: room for a time in microseconds, or a date with its time of day. */
const versionName = /^[1-9][0-9]{0,18}$/;
const graphName = 'model.onnx';
/** Where a copy of a repository of the Hub has it. */
const hubGraph = 'onnx/model.onnx';
const manifestName = 'model.json';

/** Whether a folder of this name holds a version. */
export function isVersion(name: string): boolean {
  return versionName.test(name) && BigInt(name) < 2n ** 63n;
}

/** Sorts versions: the highest first. They may have more digits than a number has. */
export function compareVersions(a: string, b: string): number {
  return b.length - a.length || (a < b ? 1 : a > b ? -1 : 0);
}

/** Whether the folder is that of one model, not one of models. */
export async function holdsModel(folder: string): Promise<boolean> {
  if (await exists(join(folder, graphName))) return true;
  // Without the other file, a model of the name "onnx" lies there.
  if ((await exists(join(folder, hubGraph))) && (await exists(join(folder, 'config.json')))) return true;
  return (await versionFolders(folder)).size > 0;
}

/** Path of the graph in a folder; undefined when there is none. */
async function graphIn(folder: string): Promise<string | undefined> {
  for (const name of [graphName, hubGraph]) {
    const path = join(folder, name);
    if (await exists(path)) return path;
  }
  return undefined;
}

/**
 * Whether a folder among models is meant as one: it has a manifest, or a file with the ending `.onnx` in it or in a
 * folder in it whose name begins as that of a version would. One that cannot be read counts if its name could be that of
 * a model, which `lost+found` is not.
 */
export async function isMeantAsModel(folder: string): Promise<boolean> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => undefined);
  if (entries === undefined) return modelName.test(basename(folder));
  if (entries.some(({ name }) => name === manifestName || isGraph(name))) return true;
  const inner = entries.filter(({ name }) => /^(?:v?[0-9]|onnx$)/i.test(name)).map(({ name }) => join(folder, name));
  const contents = await Promise.all(inner.map((path) => readdir(path).catch(() => [])));
  return contents.flat().some(isGraph);
}

function isGraph(name: string): boolean {
  return name.toLowerCase().endsWith('.onnx');
}

/**
 * Reads the folder of one model, wherever it is: `model.onnx` in it is version 1, unless it has version folders.
 * A model that cannot be used comes with its error.
 */
export async function readModelFolder(
  folder: string,
  name: string,
  policy?: Manifest['versionPolicy'],
): Promise<ModelFolder> {
  try {
    const root = await realpath(folder);
    if (!(await stat(root)).isDirectory()) return { name, error: noFolder(folder) };
    return await modelFolder({ root, folder, name }, policy);
  } catch (cause) {
    return { name, error: noFolder(folder, cause) };
  }
}

function noFolder(folder: string, cause?: unknown): AppError {
  return new AppError('MODEL_LOAD_FAILED', { message: `Cannot read the folder ${folder}`, cause });
}

/** Reads a bare `.onnx` file, which is the only version of a model. */
export async function bareFile(root: string, fileName: string): Promise<ModelFolder> {
  const name = fileName.slice(0, -'.onnx'.length);
  try {
    checkModelName(name);
    const path = join(root, fileName);
    const file = await versionFile(root, { version: '1', path, folders: [], manifestText: '' });
    return { name, manifest: defaultManifest(), versions: [file] };
  } catch (thrown) {
    return { name, error: toAppError(thrown) };
  }
}

/** Reads a folder in a repository. */
export async function modelFolder(
  { root, folder, name }: { readonly root: string; readonly folder: string; readonly name: string },
  policy?: Manifest['versionPolicy'],
): Promise<ModelFolder> {
  try {
    await refuseOutside(root, folder);
    checkModelName(name);

    const manifestText = await readOptional(root, join(folder, manifestName));
    const manifest =
      manifestText === undefined ? defaultManifest() : parseManifest(`${name}/${manifestName}`, manifestText);
    const present = await versionFolders(folder);
    const read = (version: string, path: string, folders: readonly string[]) =>
      versionFile(root, { version, path, folders, manifestText: manifestText ?? '' });
    if (present.size === 0) {
      const path = await graphIn(folder);
      if (path === undefined) throw await noVersion(name, folder);
      return { name, manifest, versions: [await read('1', path, [dirname(path), folder])] };
    }
    const effective = policy ?? manifest.versionPolicy;
    const selected = selectVersions(name, [...present.keys()], effective);
    const isLatest = effective !== 'all' && 'latest' in effective;
    const older = isLatest ? [...present.keys()].slice(effective.latest) : [];
    const versions = await Promise.all(
      selected.map((version) => {
        const path = present.get(version) ?? join(folder, version, graphName);
        return read(version, path, [dirname(path), join(folder, version), folder]);
      }),
    );
    return { name, manifest, versions, older };
  } catch (thrown) {
    return { name, error: toAppError(thrown) };
  }
}

/** @throws AppError `MODEL_LOAD_FAILED` unless the name is one that a model can have */
export function checkModelName(name: string): void {
  if (modelName.test(name)) return;
  throw new AppError('MODEL_LOAD_FAILED', {
    message: `The name ${JSON.stringify(name)} cannot be used: expected letters, digits, ".", "_" and "-", at most 128`,
    received: name,
    expected: modelName.source,
  });
}

async function readOptional(root: string, path: string): Promise<string | undefined> {
  if (!(await exists(path))) return undefined;
  await refuseOutside(root, path);
  if (!(await stat(path)).isFile()) {
    throw new AppError('MANIFEST_INVALID', {
      message: `${relative(root, path)} is no file`,
      expected: 'a file of JSON',
    });
  }
  return readFile(path, 'utf8');
}

/** Paths of the graphs in version folders, the highest version first; a folder without one is still being copied. */
async function versionFolders(folder: string): Promise<ReadonlyMap<string, string>> {
  const names = (await readdir(folder)).filter(isVersion).sort(compareVersions);
  const found = await Promise.all(names.map(async (name) => [name, await graphIn(join(folder, name))] as const));
  return new Map(found.flatMap(([name, path]) => (path === undefined ? [] : [[name, path] as const])));
}

function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}

function selectVersions(name: string, present: readonly string[], policy: Manifest['versionPolicy']): string[] {
  if (policy === 'all') return [...present];
  if ('latest' in policy) return present.slice(0, policy.latest);

  const wanted = policy.specific.map(String);
  const missing = wanted.filter((version) => !present.includes(version));
  if (missing.length > 0) {
    throw new AppError('MODEL_LOAD_FAILED', {
      message: `The version policy of ${name} asks for ${missing.join(', ')}, but there are only ${present.join(', ')}`,
    });
  }
  return present.filter((version) => wanted.includes(version));
}

/** Names what there is instead, since it is a wrong name more often than a missing file. */
async function noVersion(name: string, folder: string): Promise<AppError> {
  const paths = await readdir(folder, { withFileTypes: true });
  const inner = await Promise.all(
    paths
      .filter((entry) => entry.isDirectory())
      .map(async (entry) =>
        (await readdir(join(folder, entry.name)).catch(() => [])).map((file) => `${entry.name}/${file}`),
      ),
  );
  const graphs = [...paths.map((entry) => entry.name), ...inner.flat()].filter(isGraph).sort();
  const found = await Promise.all(
    graphs.map(async (path) => ((await exists(join(folder, path))) ? path : `${path}, a link to nothing`)),
  );
  const instead = found.length === 0 ? '' : `; there is ${found.slice(0, 3).join(', ')}`;
  return new AppError('MODEL_LOAD_FAILED', {
    message: `The folder ${name} has no version: expected ${name}/1/model.onnx or another number up to 2^63 - 1${instead}`,
    received: found,
  });
}

interface FoundVersion extends Pick<OnnxArtifact, 'version' | 'path' | 'folders'> {
  readonly manifestText: string;
}

async function versionFile(root: string, { manifestText, ...found }: FoundVersion): Promise<OnnxArtifact> {
  const { path, folders } = found;
  await refuseOutside(root, path);
  await refuseOther(root, path);
  const { fingerprint } = await versionFiles(root, path, folders);
  return { kind: 'onnx', ...found, root, fingerprint: `${fingerprint}:${manifestText}` };
}

/** A pipe would be waited for until the load is given up. */
async function refuseOther(root: string, path: string): Promise<void> {
  if ((await stat(path)).isFile()) return;
  throw new AppError('MODEL_LOAD_FAILED', { message: `${relative(root, path)} is no file` });
}
