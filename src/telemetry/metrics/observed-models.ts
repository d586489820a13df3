/** States of a version, named as in the model repository extension of the Open Inference Protocol. */
export const modelStates = ['LOADING', 'READY', 'UNLOADING', 'UNAVAILABLE'] as const;

/** A version of a model as the metrics see it when they are scraped. */
export interface ObservedVersion {
  readonly version: string;
  readonly state: (typeof modelStates)[number];
  readonly loadMs: number | undefined;
  readonly manifest: { readonly batching: { readonly maxQueueRows: number } };
  /** Undefined while it is not loaded, and for a predictor without runners. */
  readonly engine: { stats(): ObservedStats } | undefined;
  /** Undefined while it is not loaded, and for what is on no other server. */
  readonly remote: { readonly urls: readonly { readonly endpoint: string; readonly up: boolean }[] } | undefined;
  /** Undefined for what is not made of other models. */
  readonly binding: { readonly stale: unknown } | undefined;
  /** Undefined for what keeps no answers. */
  readonly cache: { readonly figures: { readonly entries: number; readonly bytes: number } } | undefined;
}

export interface ObservedStats {
  readonly runners: readonly {
    readonly state: 'starting' | 'ready' | 'busy' | 'restarting' | 'closed';
    readonly rssBytes: number;
  }[];
  readonly queueRows: number;
  readonly backgroundRows: number;
  readonly queueBytes: number;
  readonly oldestWaitMs: number;
  /** The cost of a run, `perRowMs · rows + perRunMs`. */
  readonly cost: { readonly perRowMs: number; readonly perRunMs: number } | undefined;
}

/** What is loaded, or was tried to; called at every scrape. */
export type ObserveModels = () => readonly ObservedModel[];

export interface ObservedModel {
  readonly name: string;
  readonly versions: readonly ObservedVersion[];
  /** Weights by version; undefined where the traffic is not split. */
  readonly traffic?: { readonly split?: Readonly<Record<string, number>> } | undefined;
}
