import type { Dirent } from 'node:fs';
import { readdir, realpath, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { AppError } from '../../errors.ts';
import type { Artifact, MemberSelection } from '../artifact.ts';
import type { Manifest } from '../manifest.ts';
import {
  bareFile,
  holdsModel,
  isMeantAsModel,
  isVersion,
  type ModelFolder,
  modelFolder,
  readModelFolder,
  type VersionSelection,
} from './model-folder.ts';
import { isSourceName } from './version-source.ts';

export type { ModelFolder } from './model-folder.ts';

export interface ScanOptions {
  /** Name of the model that lies in the folder itself. @default model */
  readonly ownName?: string | undefined;
  /** Which versions, whatever the manifests say. */
  readonly policy?: Manifest['versionPolicy'] | undefined;
  /**
   * Whether the files are the server's own and never change, such as what it fetched. What they say must not make the
   * server call others or run code, so that a `remote.json` and a `model.ts` are refused. @default false
   */
  readonly ownedByServer?: boolean;
  /** Versions and labels that are read beside those of the policies and of the graphs in the folder. @default none */
  readonly selections?: readonly MemberSelection[] | undefined;
  /** Told the names of folders, and of links to nothing, that are no models. */
  readonly onIgnored?: ((names: readonly string[]) => void) | undefined;
}

/**
 * Reads the model repository: folders with numeric version folders, and bare `.onnx` files. Versions
 * that a graph names are read beside those that the policy of their model selects. A model that cannot be used is listed with its error and does not hide the others. A `model.onnx`, or numeric version
 * folders, in the folder itself are one model, as KServe and SageMaker lay out a single one.
 *
 * @throws AppError `SETTINGS_INVALID` if the folder itself cannot be read
 */
export async function scanRepository(modelsDir: string, options: ScanOptions = {}): Promise<ModelFolder[]> {
  const { ownName = 'model', policy, onIgnored } = options;
  const root = await realpath(modelsDir).catch((cause: unknown) => {
    throw new AppError('SETTINGS_INVALID', { message: `MODELS_DIR: cannot read the folder ${modelsDir}`, cause });
  });
  const models = await readAll(root, { ownName, policy, onIgnored });
  const selectors = selectorsByName(models, options.selections);
  const all = await Promise.all(
    models.map((model) => {
      const named = selectors.get(model.name);
      return named === undefined ? model : readNamed(root, model, { policy, selectors: named });
    }),
  );
  return options.ownedByServer === true ? all.map(ownedByServer) : all;
}

type ReadOptions = Pick<ScanOptions, 'policy' | 'onIgnored'> & { readonly ownName: string };

async function readAll(root: string, { ownName, policy, onIgnored }: ReadOptions): Promise<ModelFolder[]> {
  const entries = await readdir(root, { withFileTypes: true });
  const hasConfig = entries.some(({ name }) => name === 'config.json');
  const isHubCopy = (name: string) => name === 'onnx' && hasConfig;
  const own = (await holdsModel(root)) ? await readModelFolder(root, ownName, { policy }) : undefined;
  const isOwn = (name: string) => own !== undefined && (isSourceName(name) || isVersion(name) || isHubCopy(name));
  const others = entries.filter(({ name }) => !name.startsWith('.') && !isOwn(name));
  const found = await Promise.all(others.map((entry) => readEntry(root, entry, policy)));
  onIgnored?.(found.flatMap((one) => (isIgnored(one) ? [one.ignored] : [])).sort());
  const models = found.flatMap((one) => (one === undefined || isIgnored(one) ? [] : [one]));
  return nameTwins([...(own === undefined ? [] : [{ ...own, place: 'the folder of models itself' }]), ...models]);
}

/** Versions and labels by which graphs name models. */
function selectorsByName(
  models: readonly ModelFolder[],
  others: readonly MemberSelection[] = [],
): ReadonlyMap<string, ReadonlySet<string>> {
  const byName = Map.groupBy([...models.flatMap(selectionsOf), ...others], ({ name }) => name);
  return new Map([...byName].map(([name, named]) => [name, new Set(named.map(({ selector }) => selector))]));
}

/** The versions and labels of other models that the graphs of a model name. */
export function selectionsOf(model: ModelFolder): readonly MemberSelection[] {
  if ('error' in model) return [];
  return model.versions.flatMap((version) => (version.kind === 'graph' ? version.selections : []));
}

/** The model once more, with the versions that others name; a bare file has one version alone. */
async function readNamed(root: string, model: ModelFolder, selection: VersionSelection): Promise<ModelFolder> {
  const folder = join(root, model.name);
  if ((await kindOf(folder)) !== 'folder') return model;
  return modelFolder({ root, folder, name: model.name }, selection);
}

/** A model, and what it is in the repository. */
type Found = ModelFolder & { readonly place: string };

interface Ignored {
  readonly ignored: string;
}

function isIgnored(found: Found | Ignored | undefined): found is Ignored {
  return found !== undefined && 'ignored' in found;
}

async function readEntry(
  root: string,
  { name }: Dirent,
  policy: Manifest['versionPolicy'] | undefined,
): Promise<Found | Ignored | undefined> {
  const path = join(root, name);
  const kind = await kindOf(path);
  if (kind === 'folder') {
    if (!(await isMeantAsModel(path))) return { ignored: name };
    return { ...(await modelFolder({ root, folder: path, name }, { policy })), place: `the folder ${name}` };
  }
  if (kind === 'nothing') return { ignored: name };
  if (name.endsWith('.onnx')) return { ...(await bareFile(root, name)), place: `the file ${name}` };
  return undefined;
}

async function kindOf(path: string): Promise<'folder' | 'file' | 'nothing'> {
  const found = await stat(path).catch(() => undefined);
  if (found === undefined) return 'nothing';
  return found.isDirectory() ? 'folder' : 'file';
}

/** Two models of one name: which of them a client would get is nothing to guess, so that neither is served. */
function nameTwins(found: readonly Found[]): ModelFolder[] {
  const byName = Map.groupBy(found, ({ name }) => name);
  const models = [...byName].map(([name, [first, ...others]]): ModelFolder | undefined => {
    if (first === undefined || others.length === 0) return first && withoutPlace(first);
    const places = [first, ...others]
      .map(({ place }) => place)
      .sort()
      .join(' and ');
    return {
      name,
      error: new AppError('MODEL_LOAD_FAILED', { message: `Two models have the name ${name}: ${places}; rename one` }),
    };
  });
  return models.filter((model) => model !== undefined).sort((a, b) => (a.name < b.name ? -1 : 1));
}

function withoutPlace({ place: _, ...model }: Found): ModelFolder {
  return model;
}

function ownedByServer(model: ModelFolder): ModelFolder {
  if ('error' in model) return model;
  const foreign = model.versions.find(({ kind }) => kind === 'remote' || kind === 'code');
  if (foreign !== undefined) return { name: model.name, error: refusedFile(foreign.kind) };
  return { ...model, versions: model.versions.map((version) => ({ ...version, ownedByServer: true })) };
}

function refusedFile(kind: Artifact['kind']): AppError {
  const [code, file] =
    kind === 'code' ? (['CODE_MODELS_DISABLED', 'model.ts'] as const) : (['REMOTE_INVALID', 'remote.json'] as const);
  return new AppError(code, {
    message: `A ${file} is taken from the folder of the operator alone, not from an upload or a source of models`,
  });
}
