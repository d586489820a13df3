import type { LoadedVersion } from '../../models/loaded-version.ts';
import type { Registry } from '../../models/registry.ts';
import type { Duration, ModelStatistics } from '../../serving/statistics.ts';
import { modelSelector } from './messages/metadata.ts';
import { modelStatisticsResponse, type WrittenDuration, type WrittenModelStatistics } from './messages/statistics.ts';
import type { GrpcServices } from './services.ts';
import { type UnaryCall, unary } from './unary.ts';

/** `ModelStatistics`: of one version, of every version of a model, or without a name of everything. */
export function statisticsCall({ registry, statistics }: GrpcServices): UnaryCall {
  return unary(
    {
      name: 'ModelStatistics',
      access: { scope: 'infer', model: ({ name }) => name },
      request: modelSelector,
      response: modelStatisticsResponse,
    },
    ({ name, version }) => ({
      modelStats: select(registry, name, version)
        .filter(({ predictor }) => predictor !== undefined)
        .map((loaded) => write(loaded, statistics.of(loaded.name, loaded.version))),
    }),
  );
}

function select(registry: Registry, name: string, version: string): readonly LoadedVersion[] {
  if (name === '') return registry.list().flatMap(({ versions }) => versions);
  return version === '' ? registry.get(name).versions : [registry.getVersion(name, version)];
}

function write({ name, version, engine }: LoadedVersion, stats: ModelStatistics): WrittenModelStatistics {
  const runners = engine?.stats().runners ?? [];
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
      // What a run takes beside itself is counted by request, not by batch.
      computeInput: duration({ ...computeInfer, ns: 0 }),
      computeInfer: duration(computeInfer),
      computeOutput: duration({ ...computeInfer, ns: 0 }),
    })),
    memoryUsage: [{ type: 'CPU', byteSize: BigInt(runners.reduce((sum, { rssBytes }) => sum + rssBytes, 0)) }],
  };
}

function duration({ count, ns }: Duration): WrittenDuration {
  return { count: BigInt(count), ns: BigInt(ns) };
}
