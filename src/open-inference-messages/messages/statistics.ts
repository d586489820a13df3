import { int64, optional, repeated, string, uint64 } from '../protobuf/field.ts';
import { embedded, message, type PartsOf } from '../protobuf/message.ts';

const duration = message({ count: uint64(1), ns: uint64(2) });

const inferStatistics = message({
  success: optional(embedded(1, duration)),
  fail: optional(embedded(2, duration)),
  queue: optional(embedded(3, duration)),
  computeInput: optional(embedded(4, duration)),
  computeInfer: optional(embedded(5, duration)),
  computeOutput: optional(embedded(6, duration)),
  cacheHit: optional(embedded(7, duration)),
  cacheMiss: optional(embedded(8, duration)),
});

const batchStatistics = message({
  batchSize: uint64(1),
  computeInput: optional(embedded(2, duration)),
  computeInfer: optional(embedded(3, duration)),
  computeOutput: optional(embedded(4, duration)),
});

const memoryUsage = message({ type: string(1), id: int64(2), byteSize: uint64(3) });

const modelStatistics = message({
  name: string(1),
  version: string(2),
  lastInference: uint64(3),
  inferenceCount: uint64(4),
  executionCount: uint64(5),
  inferenceStats: optional(embedded(6, inferStatistics)),
  batchStats: repeated(embedded(7, batchStatistics)),
  memoryUsage: repeated(embedded(8, memoryUsage)),
});

export const modelStatisticsResponse = message({ modelStats: repeated(embedded(1, modelStatistics)) });

export type WrittenDuration = PartsOf<typeof duration>;
export type WrittenModelStatistics = PartsOf<typeof modelStatistics>;
