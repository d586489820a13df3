import type { VersionStatistics } from '../values/model-statistics.ts';

/**
 * Writes statistics in the members of Triton's extension.
 *
 * @see https://github.com/triton-inference-server/server/blob/main/docs/protocol/extension_statistics.md
 */
export function writeStatistics(statistics: VersionStatistics) {
  const { success, fail, queue, computeInput, computeInfer, computeOutput, cacheHit, cacheMiss } = statistics;
  return {
    name: statistics.name,
    version: statistics.version,
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
      cache_hit: cacheHit,
      cache_miss: cacheMiss,
    },
    response_stats: {},
    batch_stats: statistics.batches.map((batch) => ({
      batch_size: batch.rows,
      compute_input: batch.computeInput,
      compute_infer: batch.computeInfer,
      compute_output: batch.computeOutput,
    })),
    memory_usage: [{ type: 'CPU', id: 0, byte_size: statistics.memoryBytes }],
  };
}
