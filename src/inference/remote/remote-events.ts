/** How a request to another server ended. */
export type RemoteOutcome = 'ok' | 'refused' | 'overloaded' | 'timeout' | 'unreachable' | 'failed' | 'cancelled';

/** What goes on with the servers of a remote model; absent listeners cost nothing. */
export interface RemoteEvents {
  /** @param endpoint scheme, host and port */
  onRequest?(endpoint: string, outcome: RemoteOutcome): void;
  /** A request was sent once more, to that server. */
  onRetry?(endpoint: string): void;
}

/** The servers of a remote model as they are now; nothing of it is secret. */
export interface RemoteReport {
  readonly urls: readonly { readonly url: string; readonly endpoint: string; readonly up: boolean }[];
  /** Its name there. */
  readonly model: string;
  /** Undefined where the server chooses. */
  readonly version: string | undefined;
}
