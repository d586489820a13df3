import type { EnsembleStep, ModelConfig, TensorConfig } from '../values/model-config.ts';

/**
 * Writes a configuration in the members of Triton's `ModelConfig`, as its JSON has them.
 *
 * @see https://github.com/triton-inference-server/server/blob/main/docs/protocol/extension_model_configuration.md
 */
export function writeModelConfig({ name, platform, backend, dynamicBatching, ensemble, ...config }: ModelConfig) {
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
    ...(ensemble !== undefined && { ensemble_scheduling: { step: ensemble.map(writeStep) } }),
  };
}

function writeStep({ modelName, modelVersion, inputMap, outputMap }: EnsembleStep) {
  return {
    model_name: modelName,
    // JSON has no integers of 64 bits; Triton writes them as texts.
    model_version: modelVersion,
    input_map: inputMap,
    output_map: outputMap,
  };
}

function writeVersionPolicy(policy: ModelConfig['versionPolicy']) {
  if (policy === 'all') return { all: {} };
  return 'latest' in policy ? { latest: { num_versions: policy.latest } } : { specific: { versions: policy.specific } };
}

function writeTensor({ name, datatype, dims }: TensorConfig) {
  return { name, data_type: datatype === 'BYTES' ? 'TYPE_STRING' : `TYPE_${datatype}`, dims };
}
