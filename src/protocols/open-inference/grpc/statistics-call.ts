import { modelSelector } from '../../../open-inference-messages/messages/metadata.ts';
import {
  modelStatisticsResponse,
  type WrittenDuration,
  type WrittenModelStatistics,
} from '../../../open-inference-messages/messages/statistics.ts';
import type { Duration } from '../../../serving/statistics.ts';
import { type VersionStatistics, versionStatistics } from '../values/model-statistics.ts';
import { selectVersions } from '../values/select-versions.ts';
import { type UnaryCall, unary } from './call/unary.ts';
import { readSelector } from './read-selector.ts';
import type { GrpcServices } from './services.ts';

/** `ModelStatistics`: of one version, of every version of a model, or without a name of everything. */
export function statisticsCall({ registry, statistics }: Pick<GrpcServices, 'registry' | 'statistics'>): UnaryCall {
  return unary(
    {
      name: 'ModelStatistics',
      access: { scope: 'infer', model: ({ name }) => name },
      request: modelSelector,
      response: modelStatisticsResponse,
    },
    (request) => {
      const selected =
        request.name === ''
          ? registry.list().flatMap(({ versions }) => versions)
          : selectVersions(registry, readSelector(request));
      return { modelStats: versionStatistics(selected, statistics).map(write) };
    },
  );
}

function write(statistics: VersionStatistics): WrittenModelStatistics {
  return {
    name: statistics.name,
    version: statistics.version,
    lastInference: BigInt(Math.round(statistics.lastInferenceMs)),
    inferenceCount: BigInt(statistics.inferenceCount),
    executionCount: BigInt(statistics.executionCount),
    inferenceStats: {
      success: duration(statistics.success),
      fail: duration(statistics.fail),
      queue: duration(statistics.queue),
      computeInput: duration(statistics.computeInput),
      computeInfer: duration(statistics.computeInfer),
      computeOutput: duration(statistics.computeOutput),
      cacheHit: duration(statistics.cacheHit),
      cacheMiss: duration(statistics.cacheMiss),
    },
    batchStats: statistics.batches.map((batch) => ({
      batchSize: BigInt(batch.rows),
      computeInput: duration(batch.computeInput),
      computeInfer: duration(batch.computeInfer),
      computeOutput: duration(batch.computeOutput),
    })),
    memoryUsage: [{ type: 'CPU', byteSize: BigInt(statistics.memoryBytes) }],
  };
}

function duration({ count, ns }: Duration): WrittenDuration {
  return { count: BigInt(count), ns: BigInt(ns) };
}
