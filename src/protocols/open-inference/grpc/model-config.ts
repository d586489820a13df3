import {
  cpuInstances,
  dataTypeNumbers,
  type WrittenModelConfig,
} from '../../../open-inference-messages/messages/model-config.ts';
import type { EnsembleStep, ModelConfig, TensorConfig } from '../values/model-config.ts';

/** Writes a configuration as Triton's message `ModelConfig`. */
export function writeModelConfig(config: ModelConfig): WrittenModelConfig {
  const { name, platform, backend, maxBatchSize, dynamicBatching, instances, ensemble } = config;
  return {
    name,
    platform,
    backend,
    versionPolicy: writeVersionPolicy(config.versionPolicy),
    maxBatchSize,
    input: config.inputs.map(writeTensor),
    output: config.outputs.map(writeTensor),
    instanceGroup: [{ name, kind: cpuInstances, count: instances }],
    dynamicBatching,
    ensembleScheduling: ensemble === undefined ? undefined : { step: ensemble.map(writeStep) },
  };
}

function writeStep({ modelName, modelVersion, inputMap, outputMap }: EnsembleStep) {
  return {
    modelName,
    modelVersion: BigInt(modelVersion),
    inputMap: writeMap(inputMap),
    outputMap: writeMap(outputMap),
  };
}

function writeMap(map: Readonly<Record<string, string>>) {
  return Object.entries(map).map(([key, value]) => ({ key, value }));
}

function writeVersionPolicy(policy: ModelConfig['versionPolicy']): WrittenModelConfig['versionPolicy'] {
  if (policy === 'all') return { all: {} };
  return 'latest' in policy
    ? { latest: { numVersions: policy.latest } }
    : { specific: { versions: policy.specific.map(BigInt) } };
}

function writeTensor({ name, datatype, dims }: TensorConfig) {
  return { name, dataType: dataTypeNumbers[datatype], dims };
}
