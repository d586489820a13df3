import { defaultPriorityLevel, priorityLevels } from '../../inference/priority.ts';
import type { Lease } from '../../models/lease.ts';
import type { Registry } from '../../models/registry.ts';
import type { TensorSpec } from '../../tensor/tensor.ts';
import { empty, live, modelMetadata, modelSelector, ready, serverMetadata } from './messages/metadata.ts';
import { dataTypeNumbers, type ModelConfig, modelConfigResponse } from './messages/model-config.ts';
import type { GrpcServices } from './services.ts';
import { type UnaryCall, unary } from './unary.ts';

/** Name of the format, as Triton has it for ONNX models. */
const platform = 'onnxruntime_onnx';

/** Names of the extensions of the protocol that are there, as Triton has them. */
const extensions = [
  'binary_tensor_data',
  'classification',
  'model_configuration',
  'model_repository',
  'parameters',
  'schedule_policy',
  'statistics',
];

/** What is told of a model is for keys that may use it. */
const ofModel = { scope: 'infer', model: ({ name }: Selector) => name } as const;

/** `ServerLive`, `ServerReady`, `ModelReady`, `ServerMetadata`, `ModelMetadata` and `ModelConfig`. */
export function modelCalls({ registry, readiness, version }: GrpcServices): readonly UnaryCall[] {
  return [
    unary({ name: 'ServerLive', access: 'open', request: empty, response: live }, () => ({ live: true })),
    unary({ name: 'ServerReady', access: 'open', request: empty, response: ready }, () => ({
      ready: readiness.check().ready,
    })),
    unary({ name: 'ModelReady', access: ofModel, request: modelSelector, response: ready }, (request) => ({
      ready: isReady(registry, request),
    })),
    unary({ name: 'ServerMetadata', access: { scope: 'infer' }, request: empty, response: serverMetadata }, () => ({
      name: 'inferd',
      version,
      extensions,
    })),
    unary({ name: 'ModelMetadata', access: ofModel, request: modelSelector, response: modelMetadata }, (request) =>
      describe(registry, request),
    ),
    unary(
      { name: 'ModelConfig', access: ofModel, request: modelSelector, response: modelConfigResponse },
      (request) => ({
        config: configOf(find(registry, request)),
      }),
    ),
  ];
}

interface Selector {
  readonly name: string;
  /** Empty for the highest that is loaded. */
  readonly version: string;
}

/** Triton says of an unknown model that it is not ready; its clients rely on that after an unload. */
function isReady(registry: Registry, { name, version }: Selector): boolean {
  const versions = registry.list().find((model) => model.name === name)?.versions ?? [];
  return versions.some((known) => known.state === 'READY' && (version === '' || known.version === version));
}

/** The version as it is loaded now; nothing is held. */
function find(registry: Registry, { name, version }: Selector): Lease {
  const lease = registry.acquire(name, version === '' ? undefined : version);
  lease.release();
  return lease;
}

function describe(registry: Registry, selector: Selector) {
  const { name, predictor } = find(registry, selector);
  const { inputs, outputs } = predictor.signature;
  const loaded = registry.get(name).versions.filter((version) => version.predictor !== undefined);
  const versions = loaded.map(({ version }) => version);
  return { name, versions, platform, inputs, outputs };
}

/** Triton counts the rows of a batch apart from the dimensions. */
function configOf({ name, predictor, manifest }: Lease): ModelConfig {
  const describeTensor = ({ name: tensor, datatype, shape }: TensorSpec) => ({
    name: tensor,
    dataType: dataTypeNumbers[datatype],
    dims: predictor.independentRows ? shape.slice(1) : shape,
  });
  return {
    name,
    platform,
    backend: 'onnxruntime',
    maxBatchSize: predictor.independentRows ? manifest.batching.maxSize : 0,
    input: predictor.signature.inputs.map(describeTensor),
    output: predictor.signature.outputs.map(describeTensor),
    dynamicBatching: predictor.independentRows
      ? {
          maxQueueDelayMicroseconds: Math.round(manifest.batching.maxDelayMs * 1000),
          priorityLevels,
          defaultPriorityLevel,
        }
      : undefined,
  };
}
