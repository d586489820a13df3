import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { AppError } from '../../errors.ts';
import type { PictureElements } from '../picture-tensor.ts';
import type { PictureJob } from '../prepare-picture.ts';
import type { OutcomeMessage } from './messages.ts';

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
        this.#finish({ ok: false, error: deathOf(code, cause) });
        resolve();
      });
    });
  }

  get isAlive(): boolean {
    return this.#isAlive;
  }

  /**
   * The elements of a picture. Its pixels are gone from this thread afterwards, if their buffer holds nothing else.
   *
   * @throws AppError `ENCODER_FAILED` when the thread ends meanwhile; what the work throws
   */
  async prepare(job: PictureJob): Promise<PictureElements> {
    const data = transferable(job.raster.data);
    const outcome = await new Promise<OutcomeMessage>((resolve) => {
      this.#settle = resolve;
      this.#worker.ref();
      this.#worker.postMessage({ ...job, raster: { ...job.raster, data } }, [data.buffer]);
    });
    if (outcome.ok) return outcome.elements;
    throw outcome.error;
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

/** The bytes themselves when their buffer holds nothing else; a copy of them otherwise. */
function transferable(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const { buffer } = bytes;
  const isAlone = !Buffer.isBuffer(bytes) && buffer instanceof ArrayBuffer && buffer.byteLength === bytes.byteLength;
  return isAlone ? new Uint8Array(buffer) : Uint8Array.from(bytes);
}

function deathOf(code: number, cause: unknown): AppError {
  return new AppError('ENCODER_FAILED', {
    message: `The thread that was at work on the picture ended with code ${code}`,
    expected: 'a tensor of the picture',
    retryAfterSeconds: 1,
    cause,
  });
}
