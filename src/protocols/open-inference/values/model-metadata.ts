import type { LoadedVersion } from '../../../models/registry/loaded-version.ts';
import type { Registry } from '../../../models/registry/registry.ts';
import type { TensorSpec } from '../../../tensor/tensor.ts';
import { type ModelSelector, servedVersion } from './select-versions.ts';

/** What Triton calls a model of the ONNX format, one that is made of others, and one that it runs by a backend of its own. */
const platforms: Readonly<Record<string, string>> = {
  onnx: 'onnxruntime_onnx',
  graph: 'ensemble',
  remote: 'remote',
  code: 'code',
};

export function platformOf({ kind }: Pick<LoadedVersion, 'kind'>): string {
  return platforms[kind] ?? kind;
}

export type TensorMetadata = Pick<TensorSpec, 'name' | 'datatype' | 'shape'>;

export interface ModelMetadata {
  readonly name: string;
  /** Those that can be asked for, the highest first. */
  readonly versions: readonly string[];
  readonly platform: string;
  readonly inputs: readonly TensorMetadata[];
  readonly outputs: readonly TensorMetadata[];
}

/**
 * What a model takes and gives.
 *
 * @throws AppError `MODEL_NOT_FOUND`, `VERSION_NOT_FOUND` or `MODEL_NOT_READY`
 */
export function modelMetadata(registry: Registry, selector: ModelSelector): ModelMetadata {
  const { name, version, signature } = servedVersion(registry, selector);
  const loaded = registry.get(name).versions.filter(({ predictor }) => predictor !== undefined);
  return {
    name,
    versions: loaded.map(({ version }) => version),
    platform: platformOf(registry.getVersion(name, version)),
    inputs: signature.inputs.map(tensorMetadata),
    outputs: signature.outputs.map(tensorMetadata),
  };
}

function tensorMetadata({ name, datatype, shape }: TensorSpec): TensorMetadata {
  return { name, datatype, shape };
}
