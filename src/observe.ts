import type { FaceCounters } from './faces/face-counters.ts';
import type { CacheEvents } from './inference/cache/cache-events.ts';
import type { EngineEvents } from './inference/events.ts';
import type { GraphEvents } from './inference/graph/run/graph-events.ts';
import type { RemoteEvents } from './inference/remote/remote-events.ts';
import type { VersionArtifact } from './models/artifact.ts';
import type { Assemble } from './models/assembled.ts';
import type { PredictionCounts } from './predictions/recording/dropped.ts';
import type { ServedCounters } from './served/served-counters.ts';
import type { InferObserver } from './serving/infer.ts';
import { collectCounter } from './telemetry/metrics/collected.ts';
import type { Metrics } from './telemetry/metrics.ts';
import { type PredictionLogOptions, predictionLog } from './telemetry/prediction-log.ts';
import type { Tracing } from './telemetry/tracing.ts';

/** Calls back after each prediction that a client waited for. */
export function whenOnline(callback: () => void): InferObserver {
  return {
    onAnswer: ({ priority }) => {
      if (priority !== 'background') callback();
    },
  };
}

/** Writes predictions to the log. */
export function predictionLogObserver(options: PredictionLogOptions): InferObserver {
  const write = predictionLog(options);
  return {
    onAnswer: ({ requestId, typed }, { model, inputs, outputs, timings, totalMs }) =>
      write({
        requestId,
        model: model.name,
        version: model.version,
        totalMs,
        timings,
        inputs: typed?.instances ?? inputs,
        outputs,
      }),
  };
}

/** Counts the predictions that are kept, and those that are not, in the metrics. */
export function countPredictions({ registry }: Metrics, counts: PredictionCounts): void {
  collectCounter({
    registry,
    name: 'inferd_predictions_logged_total',
    help: 'Predictions that the prediction log has kept',
    labelNames: [],
    samples: () => [[{}, counts.written]],
  });
  collectCounter({
    registry,
    name: 'inferd_predictions_dropped_total',
    help: 'Predictions that the prediction log was to keep and has not, by reason',
    labelNames: ['reason'],
    samples: () => Object.entries(counts.byReason).map(([reason, count]) => [{ reason }, count] as const),
  });
}

/** Counts the tokens that faces have made of texts, in the metrics. */
export function countTokens({ registry }: Metrics, counters: FaceCounters): void {
  collectCounter({
    registry,
    name: 'inferd_face_tokens_total',
    help: 'Tokens that models were given for texts: those of texts, and those that pad them to a common length',
    labelNames: ['model', 'kind'],
    samples: () =>
      [...counters.models()].flatMap(([model, { real, padding }]) => [
        [{ model, kind: 'real' }, real] as const,
        [{ model, kind: 'padding' }, padding] as const,
      ]),
  });
  collectCounter({
    registry,
    name: 'inferd_face_truncated_total',
    help: 'Texts that were cut, since they had more tokens than their model takes',
    labelNames: ['model'],
    samples: () => [...counters.models()].map(([model, { truncated }]) => [{ model }, truncated] as const),
  });
}

export interface EngineObservers {
  readonly served: ServedCounters;
  /** Undefined when nothing is traced. */
  readonly tracing: Tracing | undefined;
}

/** Counts what goes on in the engine, and traces it. */
export function engineObserver({ served, tracing }: EngineObservers): EngineEvents {
  return {
    onBatch: (model, version, batch) => {
      served.recordRun(model, version, batch);
      const startedMs = performance.timeOrigin + batch.startedMs;
      tracing?.recordRun({ ...batch, model, version, startedMs });
    },
    onSpotCheck: (model, version, outcome) => served.recordSpotCheck(model, version, outcome),
    onRunnerRestart: (model, version) => served.recordRestart(model, version),
  };
}

/** Counts what goes on in graphs, and traces it. */
export function graphEvents({ served, tracing }: EngineObservers): (name: string, version: string) => GraphEvents {
  return (name, version) => ({
    onAnswer: (rows, ms) => served.graph(name, version).recordAnswer(rows, ms),
    onStep: (report, trace) => {
      served.graph(name, version).recordStep(report);
      if (trace === undefined || report.outcome === 'skipped') return;
      tracing?.recordStep({ ...report, graph: name, endedMs: Date.now(), trace });
    },
    onRoute: (step, arm, rows) => served.graph(name, version).recordRoute(step, arm, rows),
    onRuleError: (step) => served.graph(name, version).recordRuleError(step),
  });
}

/** Counts what goes on with the servers of remote models. */
export function remoteEvents(served: ServedCounters): (name: string, version: string) => RemoteEvents {
  return (name, version) => ({
    onRequest: (endpoint, outcome) => served.remote(name, version).requests.add([endpoint, outcome], 1),
    onRetry: (endpoint) => served.remote(name, version).retries.add([endpoint], 1),
  });
}

/** Counts what goes on in the caches of models. */
export function cacheEvents(served: ServedCounters): (name: string, version: string) => CacheEvents {
  return (name, version) => ({
    onRequest: ({ units, hits, collapsed, bypass }, lookup) => {
      const counters = served.cache(name, version);
      if (bypass !== undefined) return counters.recordLookups('memory', { bypass: 1 });
      const miss = units - lookup.hits - collapsed;
      counters.recordLookups('memory', { hit: lookup.hits, miss, collapsed });
      counters.recordDuration('memory', lookup.ms);
      (hits === units ? counters.hits : counters.misses).add(lookup.ms);
    },
    onShared: ({ hits, misses, errors, skipped, ms }) => {
      const counters = served.cache(name, version);
      counters.recordLookups('redis', { hit: hits, miss: misses, error: errors, bypass: skipped });
      if (skipped === 0) counters.recordDuration('redis', ms);
    },
    onSharedWriteFailed: () => served.cache(name, version).recordLookups('redis', { error: 1 }),
    onEvicted: (reason, count) => served.cache(name, version).recordEvictions(reason, count),
  });
}

/** Assembles as `assemble` does, and counts how the loads went. */
export function countLoads<Kind extends VersionArtifact>(
  assemble: Assemble<Kind>,
  served: ServedCounters,
): Assemble<Kind> {
  return async (version, members) => {
    const count = (outcome: 'success' | 'failure') =>
      served.recordLoad(version.name, version.artifact.version, outcome);
    try {
      const assembled = await assemble(version, members);
      count('success');
      return assembled;
    } catch (thrown) {
      count('failure');
      throw thrown;
    }
  };
}
