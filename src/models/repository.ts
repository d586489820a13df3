import { readdir, readFile, realpath, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { AppError, toAppError } from '../errors.ts';
import { defaultManifest, type Manifest, parseManifest } from './manifest.ts';
import { refuseOutside } from './refuse-outside.ts';
import { versionFiles } from './version-files.ts';

/** One version of a model on disk. */
export interface VersionFile {
  readonly version: string;
  /** Path of the ONNX file. */
  readonly path: string;
  /** The repository, which the file must be in. */
  readonly root: string;
  /** Changes whenever one of its files, or what is said about it, does. */
  readonly fingerprint: string;
  /** Whether the server wrote the files itself, so that they never change. */
  readonly ownedByServer?: boolean;
}

/** A model on disk: its manifest, and the versions that its policy selects, highest first; or why it cannot be used. */
export type ModelFolder = { readonly name: string } & (
  | { readonly manifest: Manifest; readonly versions: readonly VersionFile[] }
  | { readonly error: AppError }
);

const modelName = /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/;
const versionName = /^[1-9][0-9]{0,14}$/;

/**
 * Reads the model repository: folders with numeric version folders, and bare `.onnx` files.
 * A model that cannot be used is listed with its error and does not hide the others. A `model.onnx`, or numeric version
 * folders, in the folder itself are one model, as KServe and SageMaker lay out a single one.
 *
 * @param ownName name of that one model. Default: `model`
 * @param policy which versions, whatever the manifests say
 * @throws AppError `SETTINGS_INVALID` if the folder itself cannot be read
 */
export async function scanRepository(
  modelsDir: string,
  ownName = 'model',
  policy?: Manifest['versionPolicy'],
): Promise<ModelFolder[]> {
  const root = await realpath(modelsDir).catch((cause: unknown) => {
    throw new AppError('SETTINGS_INVALID', { message: `MODELS_DIR: cannot read the folder ${modelsDir}`, cause });
  });
  const entries = await readdir(root, { withFileTypes: true });
  const isOwn = (name: string) => name === 'model.onnx' || versionName.test(name);
  const own = (await holdsModel(root)) ? await readModelFolder(root, ownName, policy) : undefined;
  const found = await Promise.all(
    entries.map((entry) => {
      if (entry.name.startsWith('.') || (own !== undefined && isOwn(entry.name))) return undefined;
      if (entry.name.endsWith('.onnx')) return bareFile(root, entry.name);
      return entry.isDirectory() || entry.isSymbolicLink()
        ? modelFolder(root, join(root, entry.name), entry.name, policy)
        : undefined;
    }),
  );
  return [own, ...found].filter((model) => model !== undefined).sort((a, b) => compareText(a.name, b.name));
}

/** Whether the folder is that of one model, not one of models. */
async function holdsModel(folder: string): Promise<boolean> {
  if (await exists(join(folder, 'model.onnx'))) return true;
  return (await versionFolders(folder)).length > 0;
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
    return (await modelFolder(await realpath(folder), folder, name, policy)) ?? { name, error: noFolder(folder) };
  } catch (cause) {
    return { name, error: noFolder(folder, cause) };
  }
}

function noFolder(folder: string, cause?: unknown): AppError {
  return new AppError('MODEL_LOAD_FAILED', { message: `Cannot read the folder ${folder}`, cause });
}

async function bareFile(root: string, fileName: string): Promise<ModelFolder> {
  const name = fileName.slice(0, -'.onnx'.length);
  try {
    checkModelName(name);
    const path = join(root, fileName);
    return { name, manifest: defaultManifest(), versions: [await versionFile(root, '1', path, '')] };
  } catch (thrown) {
    return { name, error: toAppError(thrown) };
  }
}

async function modelFolder(
  root: string,
  folder: string,
  name: string,
  policy?: Manifest['versionPolicy'],
): Promise<ModelFolder | undefined> {
  try {
    await refuseOutside(root, folder);
    if (!(await stat(folder)).isDirectory()) return undefined;
    checkModelName(name);

    const manifestText = await readOptional(root, join(folder, 'model.json'));
    const manifest = manifestText === undefined ? defaultManifest() : parseManifest(`${name}/model.json`, manifestText);
    const present = await versionFolders(folder);
    if (present.length === 0 && (await exists(join(folder, 'model.onnx')))) {
      const path = join(folder, 'model.onnx');
      return { name, manifest, versions: [await versionFile(root, '1', path, manifestText ?? '')] };
    }
    const selected = selectVersions(name, present, policy ?? manifest.versionPolicy);
    const versions = await Promise.all(
      selected.map((version) => versionFile(root, version, join(folder, version, 'model.onnx'), manifestText ?? '')),
    );
    return { name, manifest, versions };
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
  return readFile(path, 'utf8');
}

/** Numeric names of the folders that hold a model, highest first; a folder without one is still being copied. */
async function versionFolders(folder: string): Promise<string[]> {
  const names = (await readdir(folder)).filter((name) => versionName.test(name));
  const complete = await Promise.all(names.map((name) => exists(join(folder, name, 'model.onnx'))));
  return names.filter((_, index) => complete[index]).sort((a, b) => Number(b) - Number(a));
}

function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}

function selectVersions(name: string, present: readonly string[], policy: Manifest['versionPolicy']): string[] {
  if (present.length === 0) {
    throw new AppError('MODEL_LOAD_FAILED', {
      message: `The folder ${name} has no version: expected ${name}/1/model.onnx or another number`,
    });
  }
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

async function versionFile(root: string, version: string, path: string, manifestText: string): Promise<VersionFile> {
  await refuseOutside(root, path);
  const { fingerprint } = await versionFiles(root, path);
  return { version, path, root, fingerprint: `${fingerprint}:${manifestText}` };
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
