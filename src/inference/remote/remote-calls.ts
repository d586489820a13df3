import { AppError, type ErrorCode } from '../../errors.ts';
import type { Signature, Tensor } from '../../tensor/tensor.ts';
import type { Clock } from '../../timing/clock.ts';
import type { Executor, RunCaller, RunOutcome, RunRequest } from '../batcher/executor.ts';
import { clientGone, deadlineExceeded } from '../batcher/refusals.ts';
import { defaultPriorityLevel, priorityLevels } from '../priority.ts';
import type { TraceContext } from '../trace-context.ts';
import { checkAnswer } from './check-answer.ts';
import type { Endpoint } from './endpoint.ts';
import type { Endpoints } from './endpoints.ts';
import type { RemoteEvents, RemoteOutcome } from './remote-events.ts';
import { RemoteFailure } from './remote-failure.ts';
import { RetryBudget } from './retry-budget.ts';
import type { RemoteCall } from './transport.ts';

export interface RemoteCallsOptions {
  readonly signature: Signature;
  readonly endpoints: Endpoints;
  readonly concurrency: number;
  /** Most bytes that the outputs of a run may have for each request that shares it. */
  readonly mostBytes: number;
  /** Whether the first dimension counts rows. */
  readonly countsRows: boolean;
  readonly clock: Clock;
  readonly events: RemoteEvents;
}

/** Gives runs to other servers. Each slot waits for one answer at a time. */
export class RemoteCalls {
  readonly slots: readonly Executor[];
  readonly #options: RemoteCallsOptions;
  readonly #budget = new RetryBudget();

  constructor(options: RemoteCallsOptions) {
    this.#options = options;
    // A server that is down refuses at once: what waited for it would be late for something else that could answer.
    const slot: Omit<Executor, 'run'> = { accepts: true, holdsNext: false };
    this.slots = Array.from({ length: options.concurrency }, () => ({
      ...slot,
      run: (request: RunRequest) => this.#run(request),
    }));
  }

  async #run(request: RunRequest): Promise<RunOutcome> {
    const { clock } = this.#options;
    const startedMs = clock.now();
    const ended = new AbortController();
    const cancel = clock.setTimer(request.latestDeadlineMs - startedMs, () => ended.abort(deadlineExceeded()));
    const forget = whenAllGone(request.callers ?? [], () => ended.abort(clientGone()));
    try {
      const outputs = await this.#ask(request, ended.signal);
      return { kind: 'done', outputs, startedMs, runMs: clock.now() - startedMs };
    } catch (thrown) {
      const error = errorOf(thrown, ended.signal);
      if (error.code === 'MODEL_REFUSED_INPUT') return { kind: 'refused', message: error.message };
      return { kind: 'failed', error };
    } finally {
      cancel();
      forget();
    }
  }

  /** Asks a server, and another one where that could not be reached and nothing speaks against it. */
  async #ask(request: RunRequest, signal: AbortSignal): Promise<readonly Tensor[]> {
    const { endpoints, events } = this.#options;
    const first = endpoints.choose();
    if (first === undefined) throw this.#noneIsUp();
    this.#budget.recordCall();
    try {
      return await this.#askOne(first, request, signal);
    } catch (thrown) {
      const next = signal.aborted ? undefined : this.#next(first, thrown);
      if (next === undefined || !this.#budget.take()) throw thrown;
      events.onRetry?.(next.name);
      return this.#askOne(next, request, signal);
    }
  }

  /** Where the request is tried again; undefined where that would be of no use, or might run the model twice. */
  #next(first: Endpoint, thrown: unknown): Endpoint | undefined {
    if (!(thrown instanceof RemoteFailure) || thrown.reach === 'answered') return undefined;
    const other = this.#options.endpoints.choose(first);
    return other ?? (thrown.reach === 'stale' && first.isUp ? first : undefined);
  }

  async #askOne(endpoint: Endpoint, request: RunRequest, signal: AbortSignal): Promise<readonly Tensor[]> {
    const { signature, endpoints, events, countsRows } = this.#options;
    endpoint.underWay += 1;
    try {
      const answer = await endpoint.transport.infer(this.#callOf(request), signal);
      const rows = countsRows ? rowsOf(request) : undefined;
      const outputs = checkAnswer(signature, answer, { outputs: request.outputs, rows });
      endpoints.recordReached(endpoint);
      events.onRequest?.(endpoint.name, 'ok');
      return outputs;
    } catch (thrown) {
      const error = errorOf(thrown, signal);
      events.onRequest?.(endpoint.name, outcomeOf(error.code));
      if (!signal.aborted && thrown instanceof RemoteFailure) {
        if (thrown.reach === 'answered') endpoints.recordReached(endpoint);
        else endpoints.recordUnreachable(endpoint, error.message);
      }
      throw thrown;
    } finally {
      endpoint.underWay -= 1;
    }
  }

  #callOf({ inputs, outputs, callers = [], latestDeadlineMs, requests }: RunRequest): RemoteCall {
    const { signature, clock, mostBytes } = this.#options;
    const [first] = callers;
    return {
      inputs: signature.inputs.flatMap(({ name }, index) => {
        const input = inputs[index];
        return input === undefined ? [] : [{ name, ...input }];
      }),
      outputs: outputs.flatMap((index) => signature.outputs[index]?.name ?? []),
      requestId: first?.requestId,
      trace: sendable(first?.trace),
      priority: priorityOf(callers),
      timeoutMs: latestDeadlineMs - clock.now(),
      mostBytes: mostBytes * Math.max(1, requests),
    };
  }

  #noneIsUp(): AppError {
    const { all } = this.#options.endpoints;
    const isUnfit = all.every(({ down }) => down?.kind === 'unfit');
    const reasons = [...new Set(all.map(({ down }) => down?.reason))].join('; ');
    const message = isUnfit ? `The remote model is not ready: ${reasons}` : reasons;
    return new AppError(isUnfit ? 'MODEL_NOT_READY' : 'REMOTE_UNREACHABLE', { message, retryAfterSeconds: 1 });
  }
}

function errorOf(thrown: unknown, signal: AbortSignal): AppError {
  if (signal.aborted && signal.reason instanceof AppError) return signal.reason;
  if (thrown instanceof RemoteFailure) return thrown.error;
  if (thrown instanceof AppError) return thrown;
  const reason = thrown instanceof Error ? thrown.message : String(thrown);
  return new AppError('REMOTE_FAILED', {
    message: `The remote server of the model gave no usable answer: ${reason}`,
    cause: thrown,
  });
}

/** What clients wrote beside their trace is left out where it cannot be a header of every protocol. */
function sendable(trace: TraceContext | undefined): TraceContext | undefined {
  if (trace?.tracestate === undefined || /^[\x20-\x7e]*$/.test(trace.tracestate)) return trace;
  return { traceparent: trace.traceparent };
}

const outcomes: Partial<Record<ErrorCode, RemoteOutcome>> = {
  MODEL_REFUSED_INPUT: 'refused',
  QUEUE_FULL: 'overloaded',
  DEADLINE_EXCEEDED: 'timeout',
  REMOTE_UNREACHABLE: 'unreachable',
  CLIENT_GONE: 'cancelled',
};

function outcomeOf(code: ErrorCode): RemoteOutcome {
  return outcomes[code] ?? 'failed';
}

/** Rows of a run, of which its inputs tell more than the number that counts for bounds. */
function rowsOf({ inputs }: RunRequest): number | undefined {
  const rows = inputs[0]?.shape[0];
  return inputs.every(({ shape }) => shape[0] === rows) ? rows : undefined;
}

/** That of the most urgent caller, as a number that every server knows; undefined for that of most requests. */
function priorityOf(callers: readonly RunCaller[]): number | undefined {
  if (callers.length === 0) return undefined;
  const level = callers.reduce((least, caller) => Math.min(least, caller.level), Number.POSITIVE_INFINITY);
  return level === defaultPriorityLevel ? undefined : Math.min(level, priorityLevels);
}

/** Calls back when nobody waits any more; the returned function ends that. */
function whenAllGone(callers: readonly RunCaller[], callback: () => void): () => void {
  const signals = callers.flatMap(({ signal }) => (signal instanceof AbortSignal ? [signal] : []));
  if (signals.length === 0 || signals.length < callers.length) return () => {};
  const onAbort = () => {
    if (signals.every(({ aborted }) => aborted)) callback();
  };
  for (const signal of signals) signal.addEventListener('abort', onAbort);
  onAbort();
  return () => {
    for (const signal of signals) signal.removeEventListener('abort', onAbort);
  };
}
