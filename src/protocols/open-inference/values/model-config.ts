import { defaultPriorityLevel, priorityLevels } from '../../../inference/priority.ts';
import type { Binding } from '../../../models/assembled.ts';
import type { Manifest } from '../../../models/manifest.ts';
import type { Registry } from '../../../models/registry/registry.ts';
import type { TensorSpec } from '../../../tensor/tensor.ts';
import { platformOf } from './model-metadata.ts';
import { type ModelSelector, servedVersion } from './select-versions.ts';

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
  /** The models that it asks; undefined where it is none that is made of others. */
  readonly ensemble: readonly EnsembleStep[] | undefined;
}

/** A step of an ensemble in those terms of Triton that have a meaning here; tensors between steps are `step.tensor`. */
export interface EnsembleStep {
  readonly modelName: string;
  readonly modelVersion: string;
  /** Tensors of the ensemble by input of the model. */
  readonly inputMap: Readonly<Record<string, string>>;
  /** Tensors of the ensemble by output of the model. */
  readonly outputMap: Readonly<Record<string, string>>;
}

/** @see https://github.com/triton-inference-server/common/blob/main/protobuf/model_config.proto */
export function modelConfig(registry: Registry, selector: ModelSelector): ModelConfig {
  const { name, version, signature, manifest, independentRows } = servedVersion(registry, selector);
  const loaded = registry.getVersion(name, version);
  const { batching, versionPolicy, instances } = manifest;
  const tensorConfig = ({ name, datatype, shape }: TensorSpec) => ({
    name,
    datatype,
    dims: independentRows ? shape.slice(1) : shape,
  });
  return {
    name,
    platform: platformOf(loaded),
    backend: loaded.kind === 'onnx' ? 'onnxruntime' : '',
    versionPolicy,
    maxBatchSize: independentRows ? batching.maxSize : 0,
    inputs: signature.inputs.map(tensorConfig),
    outputs: signature.outputs.map(tensorConfig),
    instances,
    ensemble: loaded.binding === undefined ? undefined : ensembleOf(loaded.binding),
    dynamicBatching:
      independentRows && loaded.engine !== undefined
        ? { maxQueueDelayMicroseconds: Math.round(batching.maxDelayMs * 1000), priorityLevels, defaultPriorityLevel }
        : undefined,
  };
}

/** Switches and combinations have no model, and no place in the message. */
function ensembleOf({ steps, outputs }: Binding): readonly EnsembleStep[] {
  const nameOf = new Map(Object.entries(outputs).map(([output, source]) => [source, output]));
  const inputPrefix = 'input.';
  return steps.flatMap(({ name, kind, members: [member], inputs, outputs: given }) => {
    if (kind !== 'model' || member === undefined) return [];
    const inputMap = Object.entries(inputs).map(([input, source]) => [
      input,
      source.startsWith(inputPrefix) ? source.slice(inputPrefix.length) : source,
    ]);
    const outputMap = given.map((output) => [output, nameOf.get(`${name}.${output}`) ?? `${name}.${output}`]);
    return {
      modelName: member.name,
      modelVersion: member.version,
      inputMap: Object.fromEntries(inputMap),
      outputMap: Object.fromEntries(outputMap),
    };
  });
}
