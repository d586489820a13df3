import type { Registry } from 'prom-client';
import type { CacheCounters } from '../../served/cache-counters.ts';
import type { ServedCounters } from '../../served/served-counters.ts';
import type { VersionCounters } from '../../served/version-counters.ts';
import { collectCounter, collectGauge } from './collected.ts';
import type { ObserveModels } from './observed-models.ts';

/** The reasons that Triton tells apart. */
const reasonOfCode = new Map([
  ['QUEUE_FULL', 'REJECTED'],
  ['DEADLINE_UNREACHABLE', 'REJECTED'],
  ['DEADLINE_EXCEEDED', 'REJECTED'],
  ['SHUTTING_DOWN', 'REJECTED'],
  ['CLIENT_GONE', 'CANCELED'],
  ['RUNNER_DIED', 'BACKEND'],
  ['MODEL_REFUSED_INPUT', 'BACKEND'],
  ['INPUT_KILLED_RUNNER', 'BACKEND'],
]);
const reasons = ['REJECTED', 'CANCELED', 'BACKEND', 'OTHER'];

/**
 * Exposes the figures of requests also by the names that Triton gives them, so that dashboards for it work.
 *
 * Source: https://github.com/triton-inference-server/server/blob/main/docs/user_guide/metrics.md
 */
export function exposeTritonNames(registry: Registry, served: ServedCounters, observeModels: ObserveModels): void {
  const labelNames = ['model', 'version'] as const;
  const counter = (name: string, help: string, value: (counters: VersionCounters) => number) =>
    collectCounter({
      registry,
      name,
      help,
      labelNames,
      samples: () => served.versions().map(({ labels, counters }) => [labels, value(counters)] as const),
    });
  const microseconds = (seconds: number) => Math.round(seconds * 1e6);

  counter('nv_inference_request_success', 'Requests that were answered', ({ total }) => total.count);
  collectCounter({
    registry,
    name: 'nv_inference_request_failure',
    help: 'Requests that were not answered, by reason',
    labelNames: [...labelNames, 'reason'],
    samples: () =>
      served
        .versions()
        .flatMap(({ labels, counters }) =>
          reasons.map((reason) => [{ ...labels, reason }, failuresOf(counters, reason)] as const),
        ),
  });
  counter('nv_inference_count', 'Rows that the model has run', ({ batchRows }) => batchRows.sum);
  counter('nv_inference_exec_count', 'Runs of the model', ({ batchRows }) => batchRows.count);
  counter('nv_inference_request_duration_us', 'Time of the answered requests', ({ total }) => microseconds(total.sum));
  counter('nv_inference_queue_duration_us', 'Time of waiting for a runner', ({ queue }) => microseconds(queue.sum));
  counter('nv_inference_compute_input_duration_us', 'Time of making tensors', ({ encode }) => microseconds(encode.sum));
  counter('nv_inference_compute_infer_duration_us', 'Time of the runs', ({ infer }) => microseconds(infer.sum));
  counter('nv_inference_compute_output_duration_us', 'Time of joining and splitting batches', ({ batch }) =>
    microseconds(batch.sum),
  );
  const ofCache = (name: string, help: string, value: (cache: CacheCounters) => number) =>
    collectCounter({
      registry,
      name,
      help,
      labelNames,
      samples: () =>
        served
          .versions()
          .flatMap(({ labels, counters: { cache } }) => (cache === undefined ? [] : [[labels, value(cache)] as const])),
    });
  ofCache('nv_cache_num_hits_per_model', 'Requests that the cache had', ({ hits }) => hits.count);
  ofCache('nv_cache_num_misses_per_model', 'Requests that the cache did not have', ({ misses }) => misses.count);
  ofCache('nv_cache_hit_duration_per_model', 'Time of lookups of hits, in microseconds', ({ hits }) =>
    microseconds(hits.ms / 1000),
  );
  ofCache('nv_cache_miss_duration_per_model', 'Time of lookups of misses, in microseconds', ({ misses }) =>
    microseconds(misses.ms / 1000),
  );
  const versions = () =>
    observeModels().flatMap(({ name, versions: all }) => all.map((one) => ({ name, ...read(one) })));
  collectGauge({
    registry,
    name: 'nv_inference_pending_request_count',
    help: 'Rows that wait for a runner',
    labelNames,
    samples: () => versions().map(({ name, version, queueRows }) => [{ model: name, version }, queueRows] as const),
  });
  collectGauge({
    registry,
    name: 'nv_model_load_duration_secs',
    help: 'How long the last load took',
    labelNames,
    samples: () => versions().map(({ name, version, loadMs }) => [{ model: name, version }, loadMs / 1000] as const),
  });
}

function read({ version, engine, loadMs = 0 }: ReturnType<ObserveModels>[number]['versions'][number]) {
  return { version, queueRows: engine?.stats().queueRows ?? 0, loadMs };
}

function failuresOf({ failures }: VersionCounters, reason: string): number {
  const counts = Array.from(failures, ([code, { count }]) =>
    reason === (reasonOfCode.get(code) ?? 'OTHER') ? count : 0,
  );
  return counts.reduce((sum, count) => sum + count, 0);
}
