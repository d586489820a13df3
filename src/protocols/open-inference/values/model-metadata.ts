import type { Registry } from '../../../models/registry/registry.ts';
import type { TensorSpec } from '../../../tensor/tensor.ts';
import { type ModelSelector, servedVersion } from './select-versions.ts';

/** What Triton calls a model of the ONNX format. */
export const platform = 'onnxruntime_onnx';

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
  const { name, signature } = servedVersion(registry, selector);
  const loaded = registry.get(name).versions.filter(({ predictor }) => predictor !== undefined);
  return {
    name,
    versions: loaded.map(({ version }) => version),
    platform,
    inputs: signature.inputs.map(tensorMetadata),
    outputs: signature.outputs.map(tensorMetadata),
  };
}

function tensorMetadata({ name, datatype, shape }: TensorSpec): TensorMetadata {
  return { name, datatype, shape };
}
