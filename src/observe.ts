import type { EngineEvents } from './inference/events.ts';
import type { EngineDependencies, LoadedModel, ModelOptions } from './inference/model.ts';
import type { PredictionCounts } from './predictions/dropped.ts';
import type { InferObserver } from './serving/infer.ts';
import type { Statistics } from './serving/statistics.ts';
import { collectCounter } from './telemetry/metrics/collected.ts';
import type { Metrics } from './telemetry/metrics.ts';
import { type PredictionLogOptions, predictionLog } from './telemetry/prediction-log.ts';
import type { Tracing } from './telemetry/tracing.ts';

/** Tells the metrics of every inference. */
export function inferenceMetricsObserver({ inference }: Metrics): InferObserver {
  return {
    onAnswer: (_request, result) => inference.recordSuccess(result.model.name, result.model.version, result),
    onFailure: ({ model }, version, { code }) => inference.recordFailure(model, version, code),
  };
}

/** Calls back after each prediction that somebody waited for. */
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
    onAnswer: ({ requestId, typed }, { model, inputs, outputs, phases, totalMs }) =>
      write({
        requestId,
        model: model.name,
        version: model.version,
        totalMs,
        phases,
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

export interface EngineObservers {
  readonly statistics: Statistics;
  readonly metrics: Metrics | undefined;
  /** Undefined when nothing is traced. */
  readonly tracing: Tracing | undefined;
}

/** Tells the statistics, the metrics and the traces of what goes on in the engine. */
export function engineObserver({ statistics, metrics, tracing }: EngineObservers): EngineEvents {
  return {
    onBatch: (model, version, batch) => {
      statistics.recordBatch(model, version, batch);
      metrics?.inference.recordRun(model, version, batch);
      const startedMs = performance.timeOrigin + batch.startedMs;
      tracing?.recordRun({ ...batch, model, version, startedMs });
    },
    onSpotCheck: (model, version, outcome) => metrics?.inference.recordSpotCheck(model, version, outcome),
    onRunnerRestart: (model, version) => metrics?.inference.recordRestart(model, version),
  };
}

type LoadModel = (options: ModelOptions, dependencies: EngineDependencies) => Promise<LoadedModel>;

/** Loads as `load` does, and counts how it went. */
export function countLoads(load: LoadModel, metrics: Metrics | undefined): LoadModel {
  return async (options, dependencies) => {
    const { name, version } = options;
    try {
      const model = await load(options, dependencies);
      metrics?.inference.recordLoad(name, version, 'success');
      return model;
    } catch (thrown) {
      metrics?.inference.recordLoad(name, version, 'failure');
      throw thrown;
    }
  };
}
