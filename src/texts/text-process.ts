import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { childEnvironment } from '../child-environment.ts';
import { AppError } from '../errors.ts';
import type { Log } from '../timing/log.ts';
import { untilAborted } from '../timing/until-aborted.ts';
import type { EncodeTexts, LoadTokenizer, TextAnswer, TextTokens, TokenizerFacts } from './messages.ts';
import { encoderFailed, SupervisedChild } from './supervised-child.ts';

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

/** The process that makes tokens of texts, of all models. It starts with the first tokenizer, and ends with the last. */
export class TextProcess {
  readonly #child: SupervisedChild;
  readonly #tokenizers = new Map<number, LoadTokenizer>();
  #requests = 0;
  #tokenizerCount = 0;
  #loading = 0;

  constructor({ log, start = startTextChild }: TextProcessDependencies) {
    this.#child = new SupervisedChild({
      log,
      start,
      first: () => this.#tokenizers.values(),
      isNeeded: () => this.#loading > 0 || this.#tokenizers.size > 0,
    });
  }

  /** Process id; undefined while none runs. */
  get pid(): number | undefined {
    return this.#child.pid;
  }

  /**
   * Loads a `tokenizer.json`.
   *
   * @param signal gives it up: the process, which may hang over it, is ended, and started anew for the others
   * @throws AppError `FACE_INVALID` when it cannot be loaded, ends the process, or the library is not installed; the reason
   *   of the signal
   */
  async load(path: string, signal?: AbortSignal): Promise<HeldTokenizer> {
    signal?.throwIfAborted();
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
    const giveUp = () => {
      // The process that comes is not for this one.
      this.#loading -= 1;
      this.#child.giveUp(number, signal?.reason);
      this.#loading += 1;
    };
    signal?.addEventListener('abort', giveUp, { once: true });
    try {
      const answer = await this.#child.ask(message);
      if (answer.kind !== 'loaded') throw notLoaded(answer);
      this.#tokenizers.set(number, { ...message, sha256: answer.facts.sha256 });
      return { number, facts: answer.facts };
    } catch (cause) {
      if (!(cause instanceof AppError) || cause.code !== 'ENCODER_FAILED' || this.#child.isClosed) throw cause;
      throw new AppError('FACE_INVALID', { message: 'tokenizer.json: the library of tokenizers ends on it', cause });
    } finally {
      signal?.removeEventListener('abort', giveUp);
      this.#loading -= 1;
      this.#child.endIfIdle();
    }
  }

  /** Lets go of a tokenizer; the process ends with the last one, and where it is still at texts for this one. */
  unload({ number }: HeldTokenizer): void {
    this.#tokenizers.delete(number);
    this.#child.giveUp(number, encoderFailed('the tokenizer is not held any more'));
    this.#child.forget(number);
    this.#child.tell({ kind: 'unload', tokenizer: number });
    this.#child.endIfIdle();
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
    const asked = this.#child.ask(message);
    const answer = await (signal === undefined ? asked : untilAborted(asked, signal));
    if (answer.kind === 'encoded') return answer.texts;
    throw encoderFailed(answer.kind === 'failed' ? answer.message : 'the text process gave another answer');
  }

  /** Ends the process; what is under way fails. */
  close(): Promise<void> {
    return this.#child.close();
  }

  #nextRequest(): number {
    this.#requests += 1;
    return this.#requests;
  }
}

/** Starts the program of the text process. */
export function startTextChild(): ChildProcess {
  return fork(childPath, [], {
    serialization: 'advanced',
    env: childEnvironment(process.env),
    execArgv: [],
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
  });
}

function notLoaded(answer: TextAnswer): AppError {
  if (answer.kind !== 'failed') return new AppError('FACE_INVALID', { message: 'tokenizer.json: it was not loaded' });
  const message =
    answer.reason === 'missing'
      ? `texts need the package tokenizers, which is not installed: npm install ${tokenizersPackage}`
      : `tokenizer.json: ${answer.message}`;
  return new AppError('FACE_INVALID', { message });
}
