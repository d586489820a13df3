import type { Registry } from '../../models/registry.ts';
import type { Duration, ModelStatistics } from '../../serving/statistics.ts';
import { modelSelector } from './messages/metadata.ts';
import { modelStatisticsResponse, type WrittenDuration, type WrittenModelStatistics } from './messages/statistics.ts';
import type { GrpcServices } from './services.ts';
import { type UnaryCall, unary } from './unary.ts';

/** `ModelStatistics`: of one version, of every version of a model, or without a name of everything. */
export function statisticsCall({ registry, statistics }: GrpcServices): UnaryCall {
  return unary(
    { name: 'ModelStatistics', request: modelSelector, response: modelStatisticsResponse },
    ({ name, version }) => ({
      modelStats: select(registry, name, version).map((selected) =>
        write(selected, statistics.of(selected.name, selected.version)),
      ),
    }),
  );
}

interface VersionName {
  readonly name: string;
  readonly version: string;
}

function select(registry: Registry, name: string, version: string): readonly VersionName[] {
  if (name === '') return registry.list().flatMap(({ versions }) => versions);
  return version === '' ? registry.get(name).versions : [registry.getVersion(name, version)];
}

function write({ name, version }: VersionName, stats: ModelStatistics): WrittenModelStatistics {
  return {
    name,
    version,
    lastInference: BigInt(Math.round(stats.lastInferenceMs)),
    inferenceCount: BigInt(stats.inferenceCount),
    executionCount: BigInt(stats.executionCount),
    inferenceStats: {
      success: duration(stats.success),
      fail: duration(stats.fail),
      queue: duration(stats.queue),
      computeInput: duration(stats.computeInput),
      computeInfer: duration(stats.computeInfer),
      computeOutput: duration(stats.computeOutput),
      cacheHit: {},
      cacheMiss: {},
    },
    batchStats: stats.batches.map(({ rows, computeInfer }) => ({
      batchSize: BigInt(rows),
      computeInput: {},
      computeInfer: duration(computeInfer),
      computeOutput: {},
    })),
  };
}

function duration({ count, ns }: Duration): WrittenDuration {
  return { count: BigInt(count), ns: BigInt(ns) };
}
