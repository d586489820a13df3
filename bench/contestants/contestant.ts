import type { HttpRequest } from '../load/http-request.ts';
import type { ContestantName, WorkloadName } from '../options.ts';
import type { Workload } from '../workloads.ts';

/** What a contestant is started with. */
export interface Setting {
  readonly workloads: readonly Workload[];
  /** ONNX file of each workload. */
  readonly modelFiles: Readonly<Record<WorkloadName, string>>;
  readonly cores: number;
  /** A reply of inferd to each workload, as far as it has been seen. */
  readonly replies: ReadonlyMap<WorkloadName, unknown>;
}

export interface RunningServer {
  /** Scheme, host and port, without a slash at the end. */
  readonly url: string;
  /** The process that was started: the one that answers HTTP where there is only one. */
  readonly pid: number;
  stop(): Promise<void>;
}

/** A server that takes part in the comparison. */
export interface Contestant {
  readonly name: ContestantName;
  /** Its settings, in a few words. */
  readonly settings: string;
  /** Peers are other model servers; a ratio to the best of them is reported. */
  readonly peer: boolean;
  /** Why it cannot take part here; undefined if it can. */
  missing(): string | undefined;
  serves(workload: Workload): boolean;
  requests(workload: Workload): readonly HttpRequest[];
  start(setting: Setting): Promise<RunningServer>;
}
