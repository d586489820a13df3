import { defaultPriorityLevel, priorityLevels } from '../../inference/priority.ts';
import type { Manifest } from '../../models/manifest.ts';
import type { ServedModel } from '../../serving/infer.ts';
import type { TensorSpec } from '../../tensor/tensor.ts';

/** What Triton calls a model of the ONNX format. */
export const platform = 'onnxruntime_onnx';

/**
 * The configuration of a model in the members of Triton's `ModelConfig` that have a meaning here.
 *
 * @see https://github.com/triton-inference-server/common/blob/main/protobuf/model_config.proto
 */
export function modelConfig({ name, signature, manifest, independentRows }: ServedModel) {
  const { batching } = manifest;
  return {
    name,
    platform,
    backend: 'onnxruntime',
    version_policy: versionPolicy(manifest.versionPolicy),
    max_batch_size: independentRows ? batching.maxSize : 0,
    input: signature.inputs.map((input) => tensorConfig(input, independentRows)),
    output: signature.outputs.map((output) => tensorConfig(output, independentRows)),
    instance_group: [{ name, kind: 'KIND_CPU', count: manifest.instances }],
    ...(independentRows && {
      dynamic_batching: {
        max_queue_delay_microseconds: Math.round(batching.maxDelayMs * 1000),
        priority_levels: priorityLevels,
        default_priority_level: defaultPriorityLevel,
      },
    }),
  };
}

function versionPolicy(policy: Manifest['versionPolicy']) {
  if (policy === 'all') return { all: {} };
  return 'latest' in policy ? { latest: { num_versions: policy.latest } } : { specific: { versions: policy.specific } };
}

/** Triton leaves out the dimension of the rows where there is one. */
function tensorConfig({ name, datatype, shape }: TensorSpec, independentRows: boolean) {
  const data_type = datatype === 'BYTES' ? 'TYPE_STRING' : `TYPE_${datatype}`;
  return { name, data_type, dims: independentRows ? shape.slice(1) : shape };
}
