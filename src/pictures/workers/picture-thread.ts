import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { AppError } from '../../errors.ts';
import type { PreparedPicture } from '../prepare-picture.ts';
import { type JobMessage, type OutcomeMessage, preparedPicture } from './messages.ts';

/** The worker's program stands beside this file, as TypeScript in the sources and as JavaScript in the package. */
const programPath = fileURLToPath(
  new URL(`./worker${import.meta.url.endsWith('.ts') ? '.ts' : '.js'}`, import.meta.url),
);

/** One worker thread, at work on one picture at most. It holds the process open only while it works. */
export class PictureThread {
  readonly #worker: Worker;
  #settle: ((outcome: OutcomeMessage) => void) | undefined;
  #isAlive = true;
  /** Resolves when the thread is gone. */
  readonly exited: Promise<void>;

  constructor(program = programPath) {
    // Nothing of the options and the environment of this process is for it.
    this.#worker = new Worker(program, { execArgv: [], env: {}, name: 'inferd-pictures' });
    this.#worker.unref();
    this.#worker.on('message', (outcome: OutcomeMessage) => this.#finish(outcome));
    let cause: unknown;
    this.#worker.on('error', (error) => {
      cause = error;
    });
    this.exited = new Promise((resolve) => {
      this.#worker.on('exit', (code) => {
        this.#isAlive = false;
        this.#finish({ kind: 'failed', error: deathOf(code, cause) });
        resolve();
      });
    });
  }

  get isAlive(): boolean {
    return this.#isAlive;
  }

  /**
   * The elements of a picture, and where it lies in them.
   *
   * @throws AppError what the picture is refused for, and `ENCODER_FAILED` when the thread ends meanwhile
   */
  async prepare(job: JobMessage): Promise<PreparedPicture> {
    const { source, bytes } = copyOf(job.source);
    const outcome = await new Promise<OutcomeMessage>((resolve) => {
      this.#settle = resolve;
      this.#worker.ref();
      this.#worker.postMessage({ ...job, source }, [bytes.buffer]);
    });
    return preparedPicture(outcome);
  }

  async end(): Promise<void> {
    await this.#worker.terminate();
    await this.exited;
  }

  #finish(outcome: OutcomeMessage): void {
    this.#worker.unref();
    this.#settle?.(outcome);
    this.#settle = undefined;
  }
}

/** The bytes alone, and not all that their buffer holds. */
function copyOf(
  source: JobMessage['source'],
): Pick<JobMessage, 'source'> & { readonly bytes: Uint8Array<ArrayBuffer> } {
  const bytes = new Uint8Array(source instanceof Uint8Array ? source : source.data);
  return { source: source instanceof Uint8Array ? bytes : { ...source, data: bytes }, bytes };
}

function deathOf(code: number, cause: unknown): AppError {
  return new AppError('ENCODER_FAILED', {
    message: `The thread that was at work on the picture ended with code ${code}`,
    expected: 'a tensor of the picture',
    retryAfterSeconds: 1,
    cause,
  });
}
