import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { childEnvironment } from '../child-environment.ts';
import { AppError } from '../errors.ts';
import type { Log } from '../timing/log.ts';
import { untilAborted } from '../timing/until-aborted.ts';
import type { EncodeTexts, LoadTokenizer, TextAnswer, TextMessage, TextTokens, TokenizerFacts } from './messages.ts';

/** The program stands beside this file, as TypeScript in the sources and as JavaScript in the package. */
const childPath = fileURLToPath(new URL(`./child${import.meta.url.endsWith('.ts') ? '.ts' : '.js'}`, import.meta.url));

export const tokenizersPackage = 'tokenizers@0.23.2';

export interface TextProcessDependencies {
  readonly log: Pick<Log, 'warn'>;
  /** Starts the process. @default the program beside this file */
  readonly start?: () => ChildProcess;
}

/** A tokenizer that the process holds, and loads again whenever it is started anew. */
export interface HeldTokenizer {
  readonly number: number;
  readonly facts: TokenizerFacts;
}

type Request = LoadTokenizer | EncodeTexts;

interface Pending {
  readonly message: Request;
  /** Whether it was under way when a process died, so that it is tried alone. */
  isSuspect: boolean;
  readonly resolve: (answer: TextAnswer) => void;
  readonly reject: (error: AppError) => void;
}

/**
 * The process that makes tokens of texts, of all models. It starts with the first tokenizer. When it dies, it is started
 * anew with the tokenizers that it had; what was under way is then tried once more, each alone, so that only what ends
 * the process fails.
 */
export class TextProcess {
  readonly #log: Pick<Log, 'warn'>;
  readonly #start: () => ChildProcess;
  readonly #tokenizers = new Map<number, LoadTokenizer>();
  readonly #pending = new Map<number, Pending>();
  /** What waits until the requests that may have ended the last process have been tried. */
  #waiting: Pending[] = [];
  /** The one that is tried first. */
  #suspects: Pending[] = [];
  /** How often texts of a tokenizer have ended a process alone: those of others go before its next. */
  readonly #deaths = new Map<number, number>();
  #othersWent = false;
  #child: ChildProcess | undefined;
  #requests = 0;
  #tokenizerCount = 0;
  #loading = 0;
  /** Whether the process that runs has answered anything: one that never does is started again only when it is needed. */
  #hasAnswered = false;
  #isClosed = false;

  constructor({ log, start = startChild }: TextProcessDependencies) {
    this.#log = log;
    this.#start = start;
  }

  /** Process id; undefined while none runs. */
  get pid(): number | undefined {
    return this.#child?.pid;
  }

  /**
   * Loads a `tokenizer.json`.
   *
   * @throws AppError `FACE_INVALID` when it cannot be loaded, ends the process, or the library is not installed
   */
  async load(path: string): Promise<HeldTokenizer> {
    this.#tokenizerCount += 1;
    const number = this.#tokenizerCount;
    const message: LoadTokenizer = {
      kind: 'load',
      request: this.#nextRequest(),
      tokenizer: number,
      path,
      sha256: undefined,
    };
    this.#loading += 1;
    try {
      const answer = await this.#ask(message);
      if (answer.kind !== 'loaded') throw notLoaded(answer);
      this.#tokenizers.set(number, { ...message, sha256: answer.facts.sha256 });
      return { number, facts: answer.facts };
    } catch (cause) {
      if (!(cause instanceof AppError) || cause.code !== 'ENCODER_FAILED' || this.#isClosed) throw cause;
      throw new AppError('FACE_INVALID', { message: 'tokenizer.json: the library of tokenizers ends on it', cause });
    } finally {
      this.#loading -= 1;
      this.#endIfIdle();
    }
  }

  /** Lets go of a tokenizer; the process ends with the last one. */
  unload({ number }: HeldTokenizer): void {
    this.#tokenizers.delete(number);
    this.#deaths.delete(number);
    if (this.#child?.connected === true) this.#send({ kind: 'unload', tokenizer: number });
    this.#endIfIdle();
  }

  /**
   * The tokens of texts, without special ones, in their order.
   *
   * @throws AppError `ENCODER_FAILED` when the process ends twice over them, or the file of the tokenizer has changed;
   *   the reason of the signal
   */
  async encode(
    { number }: HeldTokenizer,
    texts: readonly string[],
    { keep, details, signal }: Pick<EncodeTexts, 'keep' | 'details'> & { readonly signal?: AbortSignal },
  ): Promise<readonly TextTokens[]> {
    signal?.throwIfAborted();
    const message: EncodeTexts = {
      kind: 'encode',
      request: this.#nextRequest(),
      tokenizer: number,
      texts,
      keep,
      details,
    };
    const asked = this.#ask(message);
    const answer = await (signal === undefined ? asked : untilAborted(asked, signal));
    if (answer.kind === 'encoded') return answer.texts;
    throw encoderFailed(answer.kind === 'failed' ? answer.message : 'the text process gave another answer');
  }

  /** Ends the process; what is under way fails. */
  async close(): Promise<void> {
    this.#isClosed = true;
    const child = this.#child;
    if (child === undefined) return;
    const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()));
    child.kill('SIGKILL');
    await gone;
  }

  #nextRequest(): number {
    this.#requests += 1;
    return this.#requests;
  }

  #ask(message: Request): Promise<TextAnswer> {
    if (this.#isClosed) return Promise.reject(encoderFailed('the server is shutting down'));
    return new Promise((resolve, reject) => {
      const pending: Pending = { message, isSuspect: false, resolve, reject };
      if (this.#suspects.length > 0) this.#waiting.push(pending);
      else this.#give(pending);
    });
  }

  #give(pending: Pending): void {
    this.#child ??= this.#startChild();
    this.#pending.set(pending.message.request, pending);
    this.#send(pending.message);
  }

  #send(message: TextMessage): void {
    // What cannot be sent is told by the end of the process.
    this.#child?.send(message, () => undefined);
  }

  #startChild(): ChildProcess {
    const child = this.#start();
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
    for (const load of this.#tokenizers.values()) this.#send(load);
    return child;
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
      this.#endIfIdle();
    }
  }

  #gone(child: ChildProcess, reason: string): void {
    if (this.#child !== child) return;
    this.#child = undefined;
    const lost = [...this.#pending.values()];
    this.#pending.clear();
    if (!this.#isClosed && (lost.length > 0 || this.#tokenizers.size > 0)) {
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

  /**
   * Tries what may have ended the process, one after the other; then everything else. Between two tries of a tokenizer
   * whose texts have ended it before, those go that wait for others.
   */
  #tryNext(): void {
    this.#suspects = this.#suspects.toSorted((a, b) => this.#deathsOf(a) - this.#deathsOf(b));
    const [next] = this.#suspects;
    if (next !== undefined) {
      const mayWait = this.#deathsOf(next) > 0 && !this.#othersWent;
      const others = mayWait ? this.#waiting.filter((pending) => this.#deathsOf(pending) === 0) : [];
      this.#othersWent = others.length > 0;
      if (this.#othersWent) {
        this.#waiting = this.#waiting.filter((pending) => !others.includes(pending));
        for (const pending of others) this.#give(pending);
        return;
      }
      next.isSuspect = true;
      this.#give(next);
      return;
    }
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const pending of waiting) this.#give(pending);
    if (this.#tokenizers.size > 0 && this.#hasAnswered) this.#child ??= this.#startChild();
    this.#endIfIdle();
  }

  /** Without tokenizers there is nothing to do for it. */
  #endIfIdle(): void {
    if (this.#isClosed || this.#loading > 0 || this.#tokenizers.size > 0 || this.#pending.size > 0) return;
    const child = this.#child;
    this.#child = undefined;
    child?.kill('SIGKILL');
  }
}

function startChild(): ChildProcess {
  return fork(childPath, [], {
    serialization: 'advanced',
    env: childEnvironment(process.env),
    execArgv: [],
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
  });
}

function encoderFailed(why: string): AppError {
  return new AppError('ENCODER_FAILED', { message: `The text could not be made tokens: ${why}`, retryAfterSeconds: 1 });
}

function notLoaded(answer: TextAnswer): AppError {
  if (answer.kind !== 'failed') return new AppError('FACE_INVALID', { message: 'tokenizer.json: it was not loaded' });
  const message =
    answer.reason === 'missing'
      ? `texts need the package tokenizers, which is not installed: npm install ${tokenizersPackage}`
      : `tokenizer.json: ${answer.message}`;
  return new AppError('FACE_INVALID', { message });
}
