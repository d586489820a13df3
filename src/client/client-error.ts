export interface ClientErrorOptions {
  /** HTTP status; undefined when there was no answer. */
  readonly status?: number | undefined;
  /** When the server says that trying again may help. */
  readonly retryAfterMs?: number | undefined;
  /** Names the request in the log of the server. */
  readonly requestId?: string | undefined;
  readonly cause?: unknown;
}

/** Why a call did not succeed: an error of the server, a deadline, or an answer that cannot be read. */
export class ClientError extends Error {
  override readonly name = 'ClientError';
  readonly status: number | undefined;
  readonly retryAfterMs: number | undefined;
  readonly requestId: string | undefined;

  constructor(message: string, options: ClientErrorOptions = {}) {
    super(message, 'cause' in options ? { cause: options.cause } : undefined);
    this.status = options.status;
    this.retryAfterMs = options.retryAfterMs;
    this.requestId = options.requestId;
  }
}
