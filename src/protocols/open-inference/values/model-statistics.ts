import type { LoadedVersion } from '../../../models/registry/loaded-version.ts';
import type { Duration, ModelStatistics, Statistics } from '../../../serving/statistics.ts';

/** What a loaded version has done, and what it takes. */
export interface VersionStatistics extends Omit<ModelStatistics, 'batches'> {
  readonly name: string;
  readonly version: string;
  readonly batches: readonly BatchStatistics[];
  /** Resident memory of its runners. */
  readonly memoryBytes: number;
}

/** Runs of one number of rows. */
export interface BatchStatistics {
  readonly rows: number;
  readonly computeInput: Duration;
  readonly computeInfer: Duration;
  readonly computeOutput: Duration;
}

/** The statistics of those versions that are loaded. */
export function versionStatistics(
  versions: readonly LoadedVersion[],
  statistics: Pick<Statistics, 'of'>,
): readonly VersionStatistics[] {
  return versions.flatMap(({ name, version, predictor, engine }) => {
    if (predictor === undefined) return [];
    const { batches, ...done } = statistics.of(name, version);
    const runners = engine?.stats().runners ?? [];
    return [
      {
        ...done,
        name,
        version,
        batches: batches.map(({ rows, computeInfer }) => {
          // What a run takes beside itself is counted by request, not by batch.
          const beside = { count: computeInfer.count, ns: 0 };
          return { rows, computeInput: beside, computeInfer, computeOutput: beside };
        }),
        memoryBytes: runners.reduce((sum, { rssBytes }) => sum + rssBytes, 0),
      },
    ];
  });
}
