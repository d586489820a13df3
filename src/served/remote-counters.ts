import { KeyedCounts } from './keyed-counts.ts';

/** What is counted of the servers that one version of a remote model is on. */
export class RemoteCounters {
  /** Requests by endpoint (scheme, host and port) and outcome. */
  readonly requests = new KeyedCounts();
  /** Requests that were sent once more, by the endpoint that got them. */
  readonly retries = new KeyedCounts();
}
