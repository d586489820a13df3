import type { LoadedVersion } from '../../models/loaded-version.ts';
import type { ModelStatistics } from '../../serving/statistics.ts';

const none = { count: 0, ns: 0 };

/**
 * What a version has done, in the members of Triton's statistics extension. There is no cache, so nothing hits or misses
 * it; and what a run takes beside itself is counted by request, not by batch.
 *
 * @see https://github.com/triton-inference-server/server/blob/main/docs/protocol/extension_statistics.md
 */
export function describeStatistics({ name, version, engine }: LoadedVersion, statistics: ModelStatistics) {
  const { success, fail, queue, computeInput, computeInfer, computeOutput, batches } = statistics;
  const runners = engine?.stats().runners ?? [];
  return {
    name,
    version,
    last_inference: statistics.lastInferenceMs,
    inference_count: statistics.inferenceCount,
    execution_count: statistics.executionCount,
    inference_stats: {
      success,
      fail,
      queue,
      compute_input: computeInput,
      compute_infer: computeInfer,
      compute_output: computeOutput,
      cache_hit: none,
      cache_miss: none,
    },
    response_stats: {},
    batch_stats: batches.map((batch) => ({
      batch_size: batch.rows,
      compute_input: { count: batch.computeInfer.count, ns: 0 },
      compute_infer: batch.computeInfer,
      compute_output: { count: batch.computeInfer.count, ns: 0 },
    })),
    memory_usage: [{ type: 'CPU', id: 0, byte_size: runners.reduce((sum, { rssBytes }) => sum + rssBytes, 0) }],
  };
}
