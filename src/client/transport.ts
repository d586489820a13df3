import { ClientError } from './client-error.ts';
import { readMembers } from './read-json.ts';

/** Time as the client sees it; tests give it a virtual one. */
export interface ClientClock {
  /** Milliseconds that never run backwards. */
  now(): number;
  /** Calls `callback` once after `delayMs`; the returned function cancels it. */
  setTimer(delayMs: number, callback: () => void): () => void;
}

const systemClock: ClientClock = {
  now: () => performance.now(),
  setTimer(delayMs, callback) {
    const timer = setTimeout(callback, delayMs);
    return () => clearTimeout(timer);
  },
};

export interface TransportOptions {
  /** Base URL of the server, with any path before `/v2`. */
  readonly url: string | URL;
  /** Sent with every request, for instance an API key. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Most times that a request is sent again after a 503 that says when. @default 2 */
  readonly maxRetries?: number;
  /** Longest wait before a retry; a server that asks for more is not asked again. @default 10,000 */
  readonly maxRetryDelayMs?: number;
  /** @default the `fetch` of the platform */
  readonly fetch?: typeof fetch;
  /** @default the clock of the platform */
  readonly clock?: ClientClock;
  /** A number from 0 to 1, for the jitter of retries. @default Math.random */
  readonly random?: () => number;
}

export interface CallOptions {
  /** Deadline of the whole call, retries included. @default none */
  readonly timeoutMs?: number | undefined;
  /** Ends the call; it rejects with the reason of the signal. */
  readonly signal?: AbortSignal | undefined;
}

export interface OutgoingRequest extends CallOptions {
  readonly method: 'GET' | 'POST';
  /** Below the base URL, without a leading slash. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array<ArrayBuffer>;
}

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly bytes: Uint8Array;
}

/** Up to this share of a wait is added to it by chance, so that clients do not come back all at once. */
const jitter = 0.25;

/** The longest deadline that the server takes. */
const maxTimeoutMs = 3_600_000;

/** Sends requests, within a deadline, and again where the server asks for that. */
export class Transport {
  readonly #base: string;
  readonly #options: TransportOptions;
  readonly #clock: ClientClock;

  constructor(options: TransportOptions) {
    this.#base = String(options.url).replace(/\/+$/, '');
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
  }

  /**
   * Gives the answer if its status is 2xx.
   *
   * @throws ClientError with the status and the message of the server, after the last retry; without a status when the
   *   deadline passed or the server could not be reached
   */
  async send(request: OutgoingRequest): Promise<Answer> {
    const { timeoutMs, signal } = request;
    const deadline = new AbortController();
    const deadlineMs = timeoutMs === undefined ? Number.POSITIVE_INFINITY : this.#clock.now() + timeoutMs;
    const cancelTimer = timeoutMs === undefined ? () => {} : this.#clock.setTimer(timeoutMs, () => deadline.abort());
    const ended = signal === undefined ? deadline.signal : AbortSignal.any([signal, deadline.signal]);
    try {
      for (let retries = 0; ; retries++) {
        const answer = await this.#sendOnce(request, ended, deadlineMs);
        if (answer.status >= 200 && answer.status < 300) return answer;
        const error = errorOf(answer);
        const delayMs = this.#retryDelayMs(error, retries);
        if (delayMs === undefined || this.#clock.now() + delayMs >= deadlineMs) throw error;
        await this.#wait(delayMs, ended);
      }
    } catch (thrown) {
      if (signal?.aborted) throw signal.reason;
      if (deadline.signal.aborted) throw new ClientError(`The deadline of ${timeoutMs} ms passed`, { cause: thrown });
      if (thrown instanceof ClientError) throw thrown;
      throw new ClientError(`The server at ${this.#base} cannot be reached: ${reasonOf(thrown)}`, { cause: thrown });
    } finally {
      cancelTimer();
    }
  }

  async #sendOnce(request: OutgoingRequest, signal: AbortSignal, deadlineMs: number): Promise<Answer> {
    const { method, path, body } = request;
    const leftMs = Math.ceil(deadlineMs - this.#clock.now());
    const send = this.#options.fetch ?? fetch;
    const response = await send(`${this.#base}/${path}`, {
      method,
      headers: {
        ...this.#options.headers,
        ...request.headers,
        ...(Number.isFinite(leftMs) && { 'x-request-timeout-ms': String(clamp(leftMs, 1, maxTimeoutMs)) }),
      },
      signal,
      ...(body !== undefined && { body }),
    });
    return { status: response.status, headers: response.headers, bytes: new Uint8Array(await response.arrayBuffer()) };
  }

  /** How long to wait before the next attempt; undefined when there should be none. */
  #retryDelayMs({ status, retryAfterMs }: ClientError, retries: number): number | undefined {
    const { maxRetries = 2, maxRetryDelayMs = 10_000, random = Math.random } = this.#options;
    if (status !== 503 || retryAfterMs === undefined) return undefined;
    if (retries >= maxRetries || retryAfterMs > maxRetryDelayMs) return undefined;
    return retryAfterMs * (1 + jitter * random());
  }

  #wait(delayMs: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const onAbort = () => {
        cancel();
        reject(signal.reason);
      };
      const cancel = this.#clock.setTimer(delayMs, () => {
        signal.removeEventListener('abort', onAbort);
        resolve();
      });
      signal.addEventListener('abort', onAbort, { once: true });
      if (signal.aborted) onAbort();
    });
  }
}

function errorOf({ status, headers, bytes }: Answer): ClientError {
  const retryAfter = headers.get('retry-after');
  const seconds = retryAfter === null ? Number.NaN : Number(retryAfter);
  return new ClientError(messageOf(bytes) ?? `The server answered with status ${status}`, {
    status,
    retryAfterMs: Number.isFinite(seconds) && seconds >= 0 ? 1000 * seconds : undefined,
    requestId: headers.get('x-request-id') ?? undefined,
  });
}

/** The message of `{"error": "…"}`; undefined for another body, as a proxy before the server may send it. */
function messageOf(bytes: Uint8Array): string | undefined {
  try {
    const { error } = readMembers(JSON.parse(new TextDecoder().decode(bytes)), 'the error');
    return typeof error === 'string' ? error : undefined;
  } catch {
    return undefined;
  }
}

/** The platform hides the reason of a failed connection in the cause. */
function reasonOf(thrown: unknown): string {
  if (!(thrown instanceof Error)) return String(thrown);
  return thrown.cause instanceof Error ? thrown.cause.message : thrown.message;
}

function clamp(value: number, least: number, greatest: number): number {
  return Math.min(Math.max(value, least), greatest);
}
