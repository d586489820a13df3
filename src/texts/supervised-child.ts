import type { ChildProcess } from 'node:child_process';
import { AppError } from '../errors.ts';
import type { Log } from '../timing/log.ts';
import type { EncodeTexts, LoadTokenizer, TextAnswer, TextMessage } from './messages.ts';

export interface SupervisedChildDependencies {
  readonly log: Pick<Log, 'warn'>;
  readonly start: () => ChildProcess;
  /** What each process is told first: the tokenizers that the last one had. */
  readonly first: () => Iterable<LoadTokenizer>;
  /** Whether there is anything to do for it. */
  readonly isNeeded: () => boolean;
}

type Request = LoadTokenizer | EncodeTexts;

interface Pending {
  readonly message: Request;
  /** Whether it was under way when a process died, so that it is tried alone. */
  isSuspect: boolean;
  readonly resolve: (answer: TextAnswer) => void;
  readonly reject: (reason: unknown) => void;
}

/**
 * Asks a process that may die. It starts with the first request. When it dies, it is started anew; what was under way is
 * then tried once more, each alone, so that only what ends the process fails.
 */
export class SupervisedChild {
  readonly #log: Pick<Log, 'warn'>;
  readonly #start: () => ChildProcess;
  readonly #first: () => Iterable<LoadTokenizer>;
  readonly #isNeeded: () => boolean;
  readonly #pending = new Map<number, Pending>();
  /** What waits until the requests that may have ended the last process have been tried. */
  #waiting: Pending[] = [];
  /** The one that is tried first. */
  #suspects: Pending[] = [];
  /** How often requests of a tokenizer have ended a process alone: those of others go before its next. */
  readonly #deaths = new Map<number, number>();
  #othersWent = false;
  #child: ChildProcess | undefined;
  /** Whether the process that runs has answered anything: one that never does is started again only when it is needed. */
  #hasAnswered = false;
  #isClosed = false;

  constructor({ log, start, first, isNeeded }: SupervisedChildDependencies) {
    this.#log = log;
    this.#start = start;
    this.#first = first;
    this.#isNeeded = isNeeded;
  }

  /** Process id; undefined while none runs. */
  get pid(): number | undefined {
    return this.#child?.pid;
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** @throws AppError `ENCODER_FAILED` when the process ends twice over it, or does not start */
  ask(message: Request): Promise<TextAnswer> {
    if (this.#isClosed) return Promise.reject(encoderFailed('the server is shutting down'));
    return new Promise((resolve, reject) => {
      const pending: Pending = { message, isSuspect: false, resolve, reject };
      if (this.#suspects.length > 0) this.#waiting.push(pending);
      else this.#give(pending);
    });
  }

  /** Tells a process that runs what it need not answer. */
  tell(message: TextMessage): void {
    if (this.#child?.connected === true) this.#send(message);
  }

  /**
   * Gives up what is asked of a tokenizer. The process that is at it may hang, so it is ended, and started anew for the others.
   *
   * @param reason rejects the requests
   */
  giveUp(tokenizer: number, reason: unknown): void {
    const isOf = ({ message }: Pending) => message.tokenizer === tokenizer;
    const underWay = [...this.#pending.values()].filter(isOf);
    const others = [...this.#suspects, ...this.#waiting].filter((one) => isOf(one) && !underWay.includes(one));
    this.#suspects = this.#suspects.filter((one) => !isOf(one));
    this.#waiting = this.#waiting.filter((one) => !isOf(one));
    for (const { message } of underWay) this.#pending.delete(message.request);
    for (const { reject } of [...underWay, ...others]) reject(reason);
    const child = this.#child;
    if (underWay.length === 0 || child === undefined) return;
    child.kill('SIGKILL');
    this.#gone(child, 'it took too long over a tokenizer');
  }

  /** Forgets what requests of a tokenizer have done. */
  forget(tokenizer: number): void {
    this.#deaths.delete(tokenizer);
  }

  /** Ends the process when it is not needed. */
  endIfIdle(): void {
    if (this.#isClosed || this.#pending.size > 0 || this.#isNeeded()) return;
    const child = this.#child;
    this.#child = undefined;
    child?.kill('SIGKILL');
  }

  /** Ends the process; what is under way fails. */
  async close(): Promise<void> {
    this.#isClosed = true;
    const child = this.#child;
    if (child === undefined) return;
    const gone = new Promise<void>((resolve) => {
      child.once('exit', () => resolve());
      // One that has not started ends without a word.
      child.once('error', () => resolve());
    });
    child.kill('SIGKILL');
    await gone;
  }

  /** Whether there is a process that it could be given to; else it has failed. */
  #give(pending: Pending): boolean {
    const failure = this.#child === undefined ? this.#startChild() : undefined;
    if (failure !== undefined) {
      pending.reject(encoderFailed(`the text process does not start (${failure.message})`));
      return false;
    }
    this.#pending.set(pending.message.request, pending);
    this.#send(pending.message);
    return true;
  }

  #send(message: TextMessage): void {
    // What cannot be sent is told by the end of the process.
    this.#child?.send(message, () => undefined);
  }

  /** The reason where it cannot be started: without memory, that is thrown, and not told by an event. */
  #startChild(): Error | undefined {
    let child: ChildProcess;
    try {
      child = this.#start();
    } catch (thrown) {
      return thrown instanceof Error ? thrown : new Error(String(thrown));
    }
    child.on('message', (answer: TextAnswer) => {
      if (this.#child === child) this.#settle(answer);
    });
    child.on('error', (error) => {
      child.kill('SIGKILL');
      this.#gone(child, error.message);
    });
    child.once('exit', (code, signal) => this.#gone(child, signal ?? `exit code ${code}`));
    this.#child = child;
    this.#hasAnswered = false;
    for (const load of this.#first()) this.#send(load);
    return undefined;
  }

  #settle(answer: TextAnswer): void {
    this.#hasAnswered = true;
    const pending = this.#pending.get(answer.request);
    // Tokenizers that were loaded again answer as well.
    if (pending === undefined) {
      if (answer.kind === 'failed') this.#log.warn({ reason: answer.message }, 'A tokenizer could not be loaded again');
      return;
    }
    this.#pending.delete(answer.request);
    pending.resolve(answer);
    if (pending.isSuspect) {
      this.#suspects.shift();
      this.#tryNext();
    } else if (this.#suspects.length > 0 && this.#pending.size === 0) {
      this.#tryNext();
    } else {
      this.endIfIdle();
    }
  }

  #gone(child: ChildProcess, reason: string): void {
    if (this.#child !== child) return;
    this.#child = undefined;
    const lost = [...this.#pending.values()];
    this.#pending.clear();
    if (!this.#isClosed && (lost.length > 0 || this.#isNeeded())) {
      this.#log.warn({ reason, requests: lost.length }, 'The text process has ended; it is started anew');
    }
    const error = encoderFailed(`the text process has ended (${reason})`);
    for (const pending of lost) {
      if (pending.isSuspect || this.#isClosed) pending.reject(error);
    }
    if (this.#isClosed) {
      for (const pending of [...this.#suspects, ...this.#waiting]) pending.reject(error);
      return;
    }
    const [tried, ...others] = this.#suspects;
    if (tried?.isSuspect === true && lost.includes(tried)) {
      this.#suspects = others;
      this.#deaths.set(tried.message.tokenizer, this.#deathsOf(tried) + 1);
    }
    this.#suspects.push(...lost.filter(({ isSuspect }) => !isSuspect));
    this.#tryNext();
  }

  #deathsOf({ message }: Pending): number {
    return this.#deaths.get(message.tokenizer) ?? 0;
  }

  /** Gives what waits for tokenizers that have not ended a process. Returns whether any of it is under way. */
  #giveOthers(): boolean {
    const others = this.#waiting.filter((pending) => this.#deathsOf(pending) === 0);
    this.#waiting = this.#waiting.filter((pending) => this.#deathsOf(pending) > 0);
    return others.map((pending) => this.#give(pending)).includes(true);
  }

  /**
   * Tries what may have ended the process, one after the other; then everything else. Between two tries of a tokenizer
   * whose texts have ended it before, what waits for others goes.
   */
  #tryNext(): void {
    this.#suspects = this.#suspects.toSorted((a, b) => this.#deathsOf(a) - this.#deathsOf(b));
    for (let [next] = this.#suspects; next !== undefined; [next] = this.#suspects) {
      this.#othersWent = this.#deathsOf(next) > 0 && !this.#othersWent && this.#giveOthers();
      if (this.#othersWent) return;
      next.isSuspect = true;
      if (this.#give(next)) return;
      this.#suspects.shift();
    }
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const pending of waiting) this.#give(pending);
    if (this.#isNeeded() && this.#hasAnswered && this.#child === undefined) this.#startChild();
    this.endIfIdle();
  }
}

/** @param why without a full stop */
export function encoderFailed(why: string): AppError {
  return new AppError('ENCODER_FAILED', { message: `The text could not be made tokens: ${why}`, retryAfterSeconds: 1 });
}
