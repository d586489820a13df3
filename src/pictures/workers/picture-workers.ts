import { AppError } from '../../errors.ts';
import { checkPicture, defaultPictureLimits, type PictureLimits } from '../picture-limits.ts';
import type { PictureDatatype } from '../picture-tensor.ts';
import type { PicturePlan } from '../plan/picture-plan.ts';
import type { PreparedPicture } from '../prepare-picture.ts';
import type { RgbRaster } from '../raster.ts';
import { loadSharp } from '../sharp.ts';
import { type Turn, Turns } from '../turns.ts';
import { PictureThread } from './picture-thread.ts';

export interface PictureWorkersOptions {
  /** Most threads, at least 1; each is started when a picture finds no idle one. */
  readonly threads: number;
  /** @default {@link defaultPictureLimits} */
  readonly limits?: PictureLimits;
  /** Starts a thread. @default one that does the work */
  readonly start?: () => PictureThread;
}

/**
 * Makes of the bytes of pictures what models take, off the event loop: exact pixels of a 4-megapixel photo take tens of
 * milliseconds, and moving them between threads ten. Each thread is at one picture, so that no more are in memory than are
 * worked on. Owners take turns. A thread that dies takes its picture with it, and is replaced for the next.
 */
export class PictureWorkers implements AsyncDisposable {
  readonly #turns: Turns;
  readonly #limits: PictureLimits;
  readonly #start: () => PictureThread;
  readonly #threads = new Set<PictureThread>();
  readonly #idle: PictureThread[] = [];
  #loading: Promise<unknown> | undefined;
  #isClosed = false;

  constructor({ threads, limits = defaultPictureLimits, start = () => new PictureThread() }: PictureWorkersOptions) {
    this.#turns = new Turns(threads);
    this.#limits = limits;
    this.#start = start;
  }

  /**
   * The elements of a picture in the input of a model, and where it lies in them.
   *
   * @param source the file, or pixels that were decoded already
   * @throws {AppError} `UNSUPPORTED_MEDIA_TYPE` for what is no PNG, JPEG, WebP or GIF; `PICTURE_TOO_LARGE` for too many
   * bytes or pixels, or too long a time; `PICTURE_UNREADABLE` for a cut or broken picture; `ENCODER_FAILED` when the thread
   * dies at it; `SHUTTING_DOWN` after disposal
   * @throws the reason of the turn's signal, when that is aborted before the picture's turn comes
   */
  async prepare(
    source: Uint8Array | RgbRaster,
    plan: PicturePlan,
    datatype: PictureDatatype,
    turn: Turn,
  ): Promise<PreparedPicture> {
    if (source instanceof Uint8Array) checkPicture(source, this.#limits);
    return this.#turns.take(turn, async () => {
      // Its library stays loaded when a thread ends only if this thread has it, too.
      this.#loading ??= loadSharp();
      await this.#loading;
      if (this.#isClosed) throw shuttingDown();
      const thread = this.#idle.pop() ?? this.#startThread();
      try {
        return await thread.prepare({ source, plan, datatype, limits: this.#limits });
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
