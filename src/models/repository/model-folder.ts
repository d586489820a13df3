import { readdir, readFile, realpath, stat } from 'node:fs/promises';
import { basename, dirname, join, relative } from 'node:path';
import { AppError, toAppError } from '../../errors.ts';
import { selectVersion } from '../../names/reference.ts';
import type { Artifact, VersionArtifact } from '../artifact.ts';
import { refuseOutside } from '../files/refuse-outside.ts';
import { defaultManifest, type Manifest, parseManifest } from '../manifest.ts';
import { shadowAlone } from '../traffic/choose-shadow.ts';
import { readVersion } from './read-version.ts';
import { exists, isSourceName, sourceIn, type VersionSource } from './version-source.ts';

/** A model on disk: its manifest and versions, or why it cannot be used. */
export type ModelFolder<Kind extends VersionArtifact = Artifact> = { readonly name: string } & (
  | ReadableFolder<Kind>
  | { readonly error: AppError }
);

interface ReadableFolder<Kind extends VersionArtifact> {
  readonly manifest: Manifest;
  /** What is to be loaded, highest first: what the policy selects, and what others name. */
  readonly versions: readonly Kind[];
  /** Versions that are there and not selected only because others are higher: one that serves may go on. */
  readonly older?: readonly string[];
  /** Those of the versions that the policy does not select: they answer only where they are asked for. */
  readonly named?: readonly string[];
}

/** Which versions are read. */
export interface VersionSelection {
  /** Whatever the manifest says. */
  readonly policy?: Manifest['versionPolicy'] | undefined;
  /** Versions, or labels of the manifest, that are read beside those of the policy. */
  readonly selectors?: ReadonlySet<string> | undefined;
}

const modelName = /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/;
/** Up to 2^63 − 1, as other servers have it: room for a time in microseconds, or a date with its time of day. */
const versionName = /^[1-9][0-9]{0,18}$/;
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
  if (await exists(join(folder, 'model.onnx'))) return true;
  for (const name of ['graph.json', 'remote.json', 'model.ts']) if (await exists(join(folder, name))) return true;
  // Without the other file, a model of the name "onnx" lies there.
  if ((await exists(join(folder, 'onnx/model.onnx'))) && (await exists(join(folder, 'config.json')))) return true;
  return (await versionFolders(folder)).size > 0;
}

/**
 * Whether a folder among models is meant as one: it has a manifest, a `graph.json`, `remote.json` or `model.ts`, or a file with the ending `.onnx` in it or in a
 * folder in it whose name begins as that of a version would. One that cannot be read counts if its name could be that of
 * a model, which `lost+found` is not.
 */
export async function isMeantAsModel(folder: string): Promise<boolean> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => undefined);
  if (entries === undefined) return modelName.test(basename(folder));
  if (entries.some(({ name }) => name === manifestName || isMeantAsSource(name))) return true;
  const inner = entries.filter(({ name }) => /^(?:v?[0-9]|onnx$)/i.test(name)).map(({ name }) => join(folder, name));
  const contents = await Promise.all(inner.map((path) => readdir(path).catch(() => [])));
  return contents.flat().some(isMeantAsSource);
}

function isMeantAsSource(name: string): boolean {
  return isGraph(name) || isSourceName(name);
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
  selection?: VersionSelection,
): Promise<ModelFolder> {
  try {
    const root = await realpath(folder);
    if (!(await stat(root)).isDirectory()) return { name, error: noFolder(folder) };
    return await modelFolder({ root, folder, name }, selection);
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
    const source: VersionSource = { kind: 'onnx', path: join(root, fileName) };
    const file = await readVersion(root, { version: '1', source, folders: [], manifestText: '' });
    return { name, manifest: defaultManifest(), versions: [file] };
  } catch (thrown) {
    return { name, error: toAppError(thrown) };
  }
}

/** Reads a folder in a repository. */
export async function modelFolder(
  { root, folder, name }: { readonly root: string; readonly folder: string; readonly name: string },
  { policy, selectors = new Set() }: VersionSelection = {},
): Promise<ModelFolder> {
  try {
    await refuseOutside(root, folder);
    checkModelName(name);

    const manifestText = await readOptional(root, join(folder, manifestName));
    const manifest =
      manifestText === undefined ? defaultManifest() : parseManifest(`${name}/${manifestName}`, manifestText);
    const present = await versionFolders(folder);
    const read = (version: string, source: VersionSource, folders: readonly string[]) =>
      readVersion(root, { version, source, folders, manifestText: manifestText ?? '' });
    if (present.size === 0) {
      const source = await sourceIn(folder);
      if (source === undefined) throw await noVersion(name, folder);
      return { name, manifest, versions: [await read('1', source, [dirname(source.path), folder])] };
    }
    const effective = policy ?? manifest.versionPolicy;
    const { traffic } = manifest;
    const hidden = shadowAlone(traffic);
    const answering = [...present.keys()].filter((version) => version !== hidden);
    // One that is alone answers: it would be a shadow of nothing.
    const selected =
      answering.length === 0 ? [...present.keys()] : selectVersions(name, [...present.keys()], effective, hidden);
    const isLatest = effective !== 'all' && 'latest' in effective;
    const older = isLatest ? answering.slice(effective.latest) : [];
    const arms = [
      ...Object.keys(traffic?.split ?? {}),
      ...(traffic?.shadow === undefined ? [] : [traffic.shadow.version]),
    ];
    const wanted = new Set([...arms, ...[...selectors].map((selector) => versionOf(selector, manifest))]);
    const named = [...present.keys()].filter((version) => wanted.has(version) && !selected.includes(version));
    const versions = await Promise.all(
      [...present]
        .filter(([version]) => selected.includes(version) || named.includes(version))
        .map(([version, source]) => read(version, source, [dirname(source.path), join(folder, version), folder])),
    );
    return { name, manifest, versions, older, named };
  } catch (thrown) {
    return { name, error: toAppError(thrown) };
  }
}

function versionOf(selector: string, { versionLabels }: Manifest): string | undefined {
  const selected = selectVersion(selector, versionLabels);
  return 'fault' in selected ? undefined : selected.version;
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

/** What the version folders are made of, the highest version first; a folder without it is still being copied. */
async function versionFolders(folder: string): Promise<ReadonlyMap<string, VersionSource>> {
  const names = (await readdir(folder)).filter(isVersion).sort(compareVersions);
  const found = await Promise.all(names.map(async (name) => [name, await sourceIn(join(folder, name))] as const));
  return new Map(found.flatMap(([name, source]) => (source === undefined ? [] : [[name, source] as const])));
}

/** @param hidden a version that answers nobody, whatever the policy says */
function selectVersions(
  name: string,
  present: readonly string[],
  policy: Manifest['versionPolicy'],
  hidden: string | undefined,
): readonly string[] {
  const answering = present.filter((version) => version !== hidden);
  if (policy === 'all') return answering;
  if ('latest' in policy) return answering.slice(0, policy.latest);

  const wanted = policy.specific.map(String);
  const missing = wanted.filter((version) => !present.includes(version));
  if (missing.length > 0) {
    throw new AppError('MODEL_LOAD_FAILED', {
      message: `The version policy of ${name} asks for ${missing.join(', ')}, but there are only ${present.join(', ')}`,
    });
  }
  return answering.filter((version) => wanted.includes(version));
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
