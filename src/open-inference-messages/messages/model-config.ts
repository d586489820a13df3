import type { DataType } from '../../tensor/data-type.ts';
import { int64, optional, repeated, string, uint32 } from '../protobuf/field.ts';
import { embedded, message, type PartsOf } from '../protobuf/message.ts';
import { int64s } from '../protobuf/numbers.ts';

/** The numbers of Triton's `inference.DataType`. */
export const dataTypeNumbers: Readonly<Record<DataType, number>> = {
  BOOL: 1,
  UINT8: 2,
  UINT16: 3,
  UINT32: 4,
  UINT64: 5,
  INT8: 6,
  INT16: 7,
  INT32: 8,
  INT64: 9,
  FP16: 10,
  FP32: 11,
  FP64: 12,
  BYTES: 13,
};

const modelInput = message({ name: string(1), dataType: uint32(2), dims: int64s(4) });
const modelOutput = message({ name: string(1), dataType: uint32(2), dims: int64s(3) });

/** One member is set. */
const versionPolicy = message({
  latest: optional(embedded(1, message({ numVersions: uint32(1) }))),
  all: optional(embedded(2, message({}))),
  specific: optional(embedded(3, message({ versions: int64s(1) }))),
});

const instanceGroup = message({ name: string(1), count: uint32(2), kind: uint32(4) });

/** `KIND_CPU` of an instance group. */
export const cpuInstances = 2;

const dynamicBatching = message({
  maxQueueDelayMicroseconds: uint32(2),
  priorityLevels: uint32(4),
  defaultPriorityLevel: uint32(5),
});

/** A map is a list of entries on the wire. */
const names = message({ key: string(1), value: string(2) });

const ensembleStep = message({
  modelName: string(1),
  modelVersion: int64(2),
  inputMap: repeated(embedded(3, names)),
  outputMap: repeated(embedded(4, names)),
});

/** The members of Triton's `ModelConfig` that say something about a model here. */
const modelConfig = message({
  name: string(1),
  platform: string(2),
  versionPolicy: optional(embedded(3, versionPolicy)),
  maxBatchSize: uint32(4),
  input: repeated(embedded(5, modelInput)),
  output: repeated(embedded(6, modelOutput)),
  instanceGroup: repeated(embedded(7, instanceGroup)),
  dynamicBatching: optional(embedded(11, dynamicBatching)),
  ensembleScheduling: optional(embedded(15, message({ step: repeated(embedded(1, ensembleStep)) }))),
  backend: string(17),
});

export const modelConfigResponse = message({ config: optional(embedded(1, modelConfig)) });

export type WrittenModelConfig = PartsOf<typeof modelConfig>;
