import { randomUUID } from 'node:crypto';
import { AppError } from '../../errors.ts';
import type { Clock } from '../../timing/clock.ts';
import type { Log } from '../../timing/log.ts';
import type { RunOutcome, RunRequest } from '../batcher/executor.ts';
import { frameKind, frameWords, head, jsonFrame, readJson } from './frames/frame.ts';
import { FrameReader } from './frames/frame-reader.ts';
import { SharedFile } from './frames/shared-file.ts';
import { readTensorFrame, writeTensorFrame } from './frames/tensor-frame.ts';
import { loadFailure } from './load-failure.ts';
import type { LoadedMessage, LoadMessage, RefusalMessage } from './messages.ts';
import { type RunnerEnd, readExit } from './runner-end.ts';
import { type ServableSignature, servableSignature } from './signature.ts';
import { type RunnerChild, type RunnerSocket, type SpawnRunner, spawnRunner } from './spawn-runner.ts';

interface Run {
  /** Counts the runs of the process. */
  readonly number: number;
  readonly request: RunRequest;
  readonly settle: (outcome: RunOutcome) => void;
  startedMs: number;
}

export interface RunnerProcessOptions {
  readonly model: string;
  readonly clock: Clock;
  readonly log: Log;
  /** @default a process */
  readonly spawn?: SpawnRunner | undefined;
}

/** One runner process and the runs that it was given. It runs them in order, one at a time. */
export class RunnerProcess {
  readonly #child: RunnerChild;
  readonly #socket: RunnerSocket;
  readonly #shared: SharedFile | undefined;
  readonly #clock: Clock;
  readonly #runs: Run[] = [];
  #servable: ServableSignature | undefined;
  #loadSettled: ((answer: LoadedMessage) => void) | undefined;
  #killReason: string | undefined;
  #runCount = 0;
  /** Resident memory as last reported. */
  rssBytes = 0;
  /** Resolves when the process is gone and all that it wrote is read; every run is settled then. */
  readonly exited: Promise<RunnerEnd>;

  constructor(options: RunnerProcessOptions) {
    this.#clock = options.clock;
    this.#shared = SharedFile.create(`inferd-${randomUUID()}`);
    const { model, log, spawn = spawnRunner } = options;
    this.#child = spawn(model, this.#shared?.fd);
    const { socket } = this.#child;
    this.#socket = socket;
    const reader = new FrameReader((frame) => this.#receive(frame));
    socket.on('data', (chunk: Buffer) => reader.push(chunk));
    // A runner that dies breaks the socket; what matters is told by its exit.
    socket.on('error', () => {});
    this.#child.followOutput(
      () => options.clock.now(),
      (line) => log.warn({ model, runner: this.pid, line }, 'the runner wrote'),
    );
    this.exited = new Promise((resolve) => {
      const gone = (exit: Pick<RunnerEnd, 'reason' | 'crashed'>) => {
        this.#shared?.close();
        resolve({ ...exit, requests: this.#abandonRuns(exit) });
      };
      this.#child.onError((error) => gone({ reason: error.message, crashed: false }));
      // The exit may be told before the last answers are read, and what they answer did not end the process.
      const drained = new Promise<void>((drain) => socket.once('close', () => drain()));
      this.#child.onExit((code, signal) => {
        void drained.then(() => gone(readExit(code, signal, this.#killReason)));
      });
    });
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  /**
   * Creates the session.
   *
   * @throws AppError `MODEL_LOAD_FAILED` when the model cannot be loaded, or the runner ends or is killed meanwhile
   */
  async load(model: Omit<LoadMessage, 'shared'>): Promise<ServableSignature> {
    const loaded = new Promise<LoadedMessage>((resolve) => {
      this.#loadSettled = resolve;
    });
    this.#socket.write(jsonFrame(frameKind.load, { ...model, shared: this.#shared !== undefined }));
    const ended = this.exited.then(({ reason }): LoadedMessage => ({ ok: false, message: reason }));
    const answer = await Promise.race([loaded, ended]);
    if (!answer.ok) {
      throw new AppError('MODEL_LOAD_FAILED', { message: loadFailure(answer.message) });
    }
    this.rssBytes = answer.rssBytes;
    this.#servable = servableSignature(answer.model);
    return this.#servable;
  }

  /** Gives the runner a run. No more than two may be under way: see {@link SharedFile}. */
  run(request: RunRequest): Promise<RunOutcome> {
    const indexes = this.#servable?.outputIndexes;
    if (indexes === undefined || this.#runs.length >= 2) throw new Error('the runner cannot take another run');
    return new Promise((settle) => {
      const run = { number: this.#runCount, request, settle, startedMs: this.#clock.now() };
      this.#runCount += 1;
      this.#runs.push(run);
      const { inputs, outputs } = request;
      const content = {
        kind: frameKind.run,
        a: outputs.length,
        b: request.requests,
        words: outputs.map((output) => indexes[output] ?? 0),
        tensors: inputs,
      };
      const frame = writeTensorFrame(content, {
        allocate: Buffer.allocUnsafe,
        share: (pieces) => this.#shared?.writeToRunner(run.number, pieces) ?? false,
      });
      this.#socket.write(frame);
    });
  }

  /** The run that is going on, and when the runner was free to begin it. */
  get currentRun(): { readonly request: RunRequest; readonly startedMs: number } | undefined {
    return this.#runs[0];
  }

  /** Ends the process at once. */
  kill(reason: string): void {
    this.#killReason ??= reason;
    this.#child.kill();
  }

  /** Ends the process when it has answered every run. */
  end(): void {
    this.#killReason ??= 'it was closed';
    this.#socket.end();
  }

  #receive(frame: Buffer): void {
    const kind = frameWords(frame)[head.kind];
    if (kind === frameKind.loaded) {
      this.#loadSettled?.(readJson(frame) as LoadedMessage);
      return;
    }
    const run = this.#runs.shift();
    if (run === undefined) return;
    const next = this.#runs[0];
    if (next !== undefined) next.startedMs = this.#clock.now();
    run.settle(this.#outcome(frame, run));
  }

  #outcome(frame: Buffer, { number, request, startedMs }: Run): RunOutcome {
    const words = frameWords(frame);
    const runMs = (words[head.a] ?? 0) / 1000;
    this.rssBytes = (words[head.b] ?? 0) * 1024;
    if (words[head.kind] === frameKind.refusal) {
      return { kind: 'refused', ...(readJson(frame) as RefusalMessage) };
    }
    const outputs = this.#servable?.signature.outputs;
    const datatypes = request.outputs.map((output) => outputs?.[output]?.datatype ?? 'FP32');
    const tensors = readTensorFrame(frame, { skippedWords: 0, datatypes }, (bytes) => {
      const elements = Buffer.allocUnsafeSlow(bytes);
      this.#shared?.readFromRunner(number, elements);
      return elements;
    });
    return { kind: 'done', outputs: tensors, startedMs, runMs };
  }

  /** Settles what it will not answer; gives the requests of the run that it was at. */
  #abandonRuns({ reason, crashed }: Pick<RunnerEnd, 'reason' | 'crashed'>): number {
    const [current, ...waiting] = this.#runs.splice(0);
    current?.settle({ kind: 'died', reason, crashed });
    for (const run of waiting) run.settle({ kind: 'not_started' });
    return current?.request.requests ?? 0;
  }
}
