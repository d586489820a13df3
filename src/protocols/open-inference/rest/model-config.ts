import type { ModelConfig, TensorConfig } from '../values/model-config.ts';

/**
 * Writes a configuration in the members of Triton's `ModelConfig`, as its JSON has them.
 *
 * @see https://github.com/triton-inference-server/server/blob/main/docs/protocol/extension_model_configuration.md
 */
export function writeModelConfig({ name, platform, backend, dynamicBatching, ...config }: ModelConfig) {
  return {
    name,
    platform,
    backend,
    version_policy: writeVersionPolicy(config.versionPolicy),
    max_batch_size: config.maxBatchSize,
    input: config.inputs.map(writeTensor),
    output: config.outputs.map(writeTensor),
    instance_group: [{ name, kind: 'KIND_CPU', count: config.instances }],
    ...(dynamicBatching !== undefined && {
      dynamic_batching: {
        max_queue_delay_microseconds: dynamicBatching.maxQueueDelayMicroseconds,
        priority_levels: dynamicBatching.priorityLevels,
        default_priority_level: dynamicBatching.defaultPriorityLevel,
      },
    }),
  };
}

function writeVersionPolicy(policy: ModelConfig['versionPolicy']) {
  if (policy === 'all') return { all: {} };
  return 'latest' in policy ? { latest: { num_versions: policy.latest } } : { specific: { versions: policy.specific } };
}

function writeTensor({ name, datatype, dims }: TensorConfig) {
  return { name, data_type: datatype === 'BYTES' ? 'TYPE_STRING' : `TYPE_${datatype}`, dims };
}
