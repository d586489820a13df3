import { defaultPriorityLevel, priorityLevels } from '../../../inference/priority.ts';
import type { Manifest } from '../../../models/manifest.ts';
import type { ServedModel } from '../../../serving/served-model.ts';
import type { TensorSpec } from '../../../tensor/tensor.ts';
import { platform } from './model-metadata.ts';

export interface TensorConfig {
  readonly name: string;
  readonly datatype: TensorSpec['datatype'];
  /** Without the dimension of the rows where there is one. */
  readonly dims: readonly number[];
}

/** The configuration of a model in those terms of Triton's `ModelConfig` that have a meaning here. */
export interface ModelConfig {
  readonly name: string;
  readonly platform: string;
  readonly backend: string;
  readonly versionPolicy: Manifest['versionPolicy'];
  /** 0 when requests do not share runs. */
  readonly maxBatchSize: number;
  readonly inputs: readonly TensorConfig[];
  readonly outputs: readonly TensorConfig[];
  /** Runner processes. */
  readonly instances: number;
  /** Undefined when requests do not share runs. */
  readonly dynamicBatching:
    | {
        readonly maxQueueDelayMicroseconds: number;
        readonly priorityLevels: number;
        readonly defaultPriorityLevel: number;
      }
    | undefined;
}

/** @see https://github.com/triton-inference-server/common/blob/main/protobuf/model_config.proto */
export function modelConfig({ name, signature, manifest, independentRows }: ServedModel): ModelConfig {
  const { batching, versionPolicy, instances } = manifest;
  const tensorConfig = ({ name, datatype, shape }: TensorSpec) => ({
    name,
    datatype,
    dims: independentRows ? shape.slice(1) : shape,
  });
  return {
    name,
    platform,
    backend: 'onnxruntime',
    versionPolicy,
    maxBatchSize: independentRows ? batching.maxSize : 0,
    inputs: signature.inputs.map(tensorConfig),
    outputs: signature.outputs.map(tensorConfig),
    instances,
    dynamicBatching: independentRows
      ? { maxQueueDelayMicroseconds: Math.round(batching.maxDelayMs * 1000), priorityLevels, defaultPriorityLevel }
      : undefined,
  };
}
