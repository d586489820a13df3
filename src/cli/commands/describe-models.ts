import { Client } from '../../client/index.ts';
import { toAppError } from '../../errors.ts';
import type { Registry } from '../../models/registry/registry.ts';
import { type ModelFolder, scanRepository } from '../../models/repository/repository.ts';
import { isDataType } from '../../tensor/data-type.ts';
import type { TensorSpec } from '../../tensor/tensor.ts';
import { openLocalRegistry, withMembers } from '../local-registry.ts';
import type { DescribedModel } from './model-types.ts';

/** The models that could be described, and why the others could not. */
export interface Described {
  readonly models: readonly DescribedModel[];
  readonly problems: readonly string[];
}

/**
 * Asks a server for every model that is ready.
 *
 * @param apiKey sent with every request; it needs the scopes `infer` and `admin`. @default none
 * @throws ClientError when it cannot be reached or does not speak the Open Inference Protocol
 */
export async function describeServer(url: string, apiKey?: string): Promise<Described> {
  const client = new Client({ url, ...(apiKey !== undefined && { headers: { authorization: `Bearer ${apiKey}` } }) });
  const ready = await client.index({ onlyReady: true });
  const names = [...new Set(ready.map(({ name }) => name))].sort();
  return collect(names, async (name) => {
    const { inputs, outputs } = await client.modelMetadata(name);
    return { name, signature: { inputs: inputs.map(readSpec), outputs: outputs.map(readSpec) } };
  });
}

/**
 * Loads every model of a repository, one after the other and each with those that it is made of, to see what it takes and gives.
 *
 * @throws AppError `SETTINGS_INVALID` when the folder cannot be read
 */
export async function describeRepository(modelsDir: string): Promise<Described> {
  const folders = await scanRepository(modelsDir);
  // The one runner is asked for its signature alone.
  const registry = openLocalRegistry({
    adapt: (options) => ({ ...options, instances: 1, batching: { ...options.batching, enabled: false } }),
  });
  try {
    return await collect(folders, (folder) => describeFolder(registry, folder, withMembers(folders, folder.name)));
  } finally {
    await registry.close();
  }
}

async function describeFolder(
  registry: Registry,
  folder: ModelFolder,
  all: readonly ModelFolder[],
): Promise<DescribedModel> {
  if ('error' in folder) throw folder.error;
  const { name, manifest } = folder;
  await registry.sync(all);
  try {
    const [version] = registry.get(name).versions;
    if (version === undefined) throw new Error('it has no version');
    if (version.predictor === undefined) throw version.error ?? new Error(version.reason);
    return { name, signature: version.predictor.signature, description: manifest.description };
  } finally {
    await registry.sync([]);
  }
}

async function collect<T extends string | { readonly name: string }>(
  candidates: readonly T[],
  describe: (candidate: T) => Promise<DescribedModel>,
): Promise<Described> {
  const models: DescribedModel[] = [];
  const problems: string[] = [];
  for (const candidate of candidates) {
    try {
      models.push(await describe(candidate));
    } catch (thrown) {
      const name = typeof candidate === 'string' ? candidate : candidate.name;
      problems.push(`${name}: ${toAppError(thrown).message}`);
    }
  }
  return { models, problems };
}

function readSpec({ name, datatype, shape }: { name: string; datatype: string; shape: readonly number[] }): TensorSpec {
  if (!isDataType(datatype)) throw new Error(`${name} has the data type ${datatype}, which the client does not know`);
  return { name, datatype, shape };
}
