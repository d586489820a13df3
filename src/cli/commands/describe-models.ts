import { Client } from '../../client/index.ts';
import { toAppError } from '../../errors.ts';
import { loadModel, type ModelOptions } from '../../inference/model.ts';
import { assembleOnnx } from '../../models/assemble.ts';
import { type ModelFolder, scanRepository } from '../../models/repository/repository.ts';
import { isDataType } from '../../tensor/data-type.ts';
import type { TensorSpec } from '../../tensor/tensor.ts';
import { systemClock } from '../../timing/clock.ts';
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
 * Loads the highest version of every model of a repository, one after the other, to see what it takes and gives.
 *
 * @throws AppError `SETTINGS_INVALID` when the folder cannot be read
 */
export async function describeRepository(modelsDir: string): Promise<Described> {
  return collect(await scanRepository(modelsDir), describeFolder);
}

async function describeFolder(folder: ModelFolder): Promise<DescribedModel> {
  if ('error' in folder) throw folder.error;
  const { name, manifest } = folder;
  const [file] = folder.versions;
  if (file === undefined) throw new Error('it has no version');
  const silent = { info() {}, warn() {}, error() {} };
  // The one runner is asked for its signature alone.
  const loadOnce = (options: ModelOptions) =>
    loadModel(
      { ...options, instances: 1, batching: { ...options.batching, enabled: false } },
      { clock: systemClock, log: silent },
    );
  const { predictor, release } = await assembleOnnx(
    { name, manifest, artifact: file },
    { loadModel: loadOnce, log: silent },
  );
  try {
    await predictor.close();
    return { name, signature: predictor.signature, description: manifest.description };
  } finally {
    await release?.();
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
