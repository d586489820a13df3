import { AppError } from '../../errors.ts';
import type { PictureElements } from '../picture-tensor.ts';
import type { PictureJob } from '../prepare-picture.ts';
import { type Turn, Turns } from '../turns.ts';
import { PictureThread } from './picture-thread.ts';

export interface PictureWorkersOptions {
  /** Most threads, at least 1; each is started when a picture finds no idle one. */
  readonly threads: number;
  /** Starts a thread. @default one that resizes and normalises */
  readonly start?: () => PictureThread;
}

/**
 * Resizes and normalises pictures off the event loop: exact pixels of a 4-megapixel photo take tens of milliseconds. Owners
 * take turns. A thread that dies takes its picture with it, and is replaced for the next.
 */
export class PictureWorkers implements AsyncDisposable {
  readonly #turns: Turns;
  readonly #start: () => PictureThread;
  readonly #threads = new Set<PictureThread>();
  readonly #idle: PictureThread[] = [];
  #isClosed = false;

  constructor({ threads, start = () => new PictureThread() }: PictureWorkersOptions) {
    this.#turns = new Turns(threads);
    this.#start = start;
  }

  /**
   * The elements of one picture in the input of a model. Its pixels are transferred, so that the caller has them no more.
   *
   * @throws AppError `ENCODER_FAILED` when the thread dies at it, `SHUTTING_DOWN` after disposal; the reason of the turn's
   * signal, when that is aborted before the picture's turn comes
   */
  prepare(job: PictureJob, turn: Turn): Promise<PictureElements> {
    return this.#turns.take(turn, async () => {
      if (this.#isClosed) throw shuttingDown();
      const thread = this.#idle.pop() ?? this.#startThread();
      try {
        return await thread.prepare(job);
      } catch (error) {
        throw this.#isClosed ? shuttingDown(error) : error;
      } finally {
        if (thread.isAlive) this.#idle.push(thread);
      }
    });
  }

  /** Ends the threads; pictures that they are at, and those that wait, are refused. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true;
    await Promise.all(Array.from(this.#threads, (thread) => thread.end()));
  }

  #startThread(): PictureThread {
    const thread = this.#start();
    this.#threads.add(thread);
    void thread.exited.then(() => {
      this.#threads.delete(thread);
      const at = this.#idle.indexOf(thread);
      if (at >= 0) this.#idle.splice(at, 1);
    });
    return thread;
  }
}

function shuttingDown(cause?: unknown): AppError {
  return new AppError('SHUTTING_DOWN', { message: 'The server is shutting down', retryAfterSeconds: 1, cause });
}
