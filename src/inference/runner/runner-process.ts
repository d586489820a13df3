import { type ChildProcess, spawn } from 'node:child_process';
import { Duplex } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { AppError } from '../../errors.ts';
import type { RunOutcome, RunRequest } from '../batcher/executor.ts';
import type { Clock } from '../clock.ts';
import type { EngineLog } from '../engine-log.ts';
import { frameKind, frameWords, head, jsonFrame, readJson } from './frame.ts';
import { FrameReader } from './frame-reader.ts';
import type { LoadedMessage, LoadMessage, RefusalMessage } from './messages.ts';
import { followNativeOutput } from './native-output.ts';
import { readResult, readRunHead, runFrame } from './run-frame.ts';
import { type ServableSignature, servableSignature } from './signature.ts';

/** The runner's program stands beside this file, as TypeScript in the sources and as JavaScript in the package. */
const childPath = fileURLToPath(new URL(`./child${import.meta.url.endsWith('.ts') ? '.ts' : '.js'}`, import.meta.url));

interface Run {
  readonly request: RunRequest;
  readonly settle: (outcome: RunOutcome) => void;
  startedMs: number;
}

export interface RunnerProcessOptions {
  readonly model: string;
  readonly clock: Clock;
  readonly log: EngineLog;
}

/** One runner process and the runs that it was given. It runs them in order, one at a time. */
export class RunnerProcess {
  readonly #child: ChildProcess;
  readonly #socket: Duplex;
  readonly #clock: Clock;
  readonly #runs: Run[] = [];
  #servable: ServableSignature | undefined;
  #loadSettled: ((answer: LoadedMessage) => void) | undefined;
  #killReason: string | undefined;
  /** Resident memory when last heard of. */
  rssBytes = 0;
  /** Resolves with the reason when the process is gone; every run is settled then. */
  readonly exited: Promise<string>;

  constructor(options: RunnerProcessOptions) {
    this.#clock = options.clock;
    this.#child = spawn(process.execPath, [childPath, options.model], {
      // Descriptor 3 carries the frames; 4 carries nothing, and breaks when this process ends.
      stdio: ['ignore', 'pipe', 'pipe', 'pipe', 'pipe'],
      // ONNX Runtime reports its use to its maker unless it finds this when it is loaded.
      env: { ...process.env, ORT_DISABLE_TELEMETRY: '1' },
    });
    const socket = this.#child.stdio[3];
    if (!(socket instanceof Duplex)) throw new TypeError('a runner has no socket at descriptor 3');
    this.#socket = socket;
    const reader = new FrameReader((frame) => this.#receive(frame));
    socket.on('data', (chunk: Buffer) => reader.push(chunk));
    // A runner that dies breaks the socket; what matters is told by its exit.
    socket.on('error', () => {});
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      if (stream === null) continue;
      followNativeOutput(
        stream,
        () => options.clock.now(),
        (line) => options.log.warn({ model: options.model, runner: this.pid, line }, 'the runner wrote'),
      );
    }
    this.exited = new Promise((resolve) => {
      const gone = (reason: string) => {
        this.#abandonRuns(reason);
        resolve(reason);
      };
      this.#child.once('error', (error) => gone(error.message));
      this.#child.once('exit', (code, signal) => gone(this.#killReason ?? exitText(code, signal)));
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
  async load(message: LoadMessage): Promise<ServableSignature> {
    const loaded = new Promise<LoadedMessage>((resolve) => {
      this.#loadSettled = resolve;
    });
    this.#socket.write(jsonFrame(frameKind.load, message));
    const ended = this.exited.then((reason): LoadedMessage => ({ ok: false, message: reason }));
    const answer = await Promise.race([loaded, ended]);
    if (!answer.ok) {
      throw new AppError('MODEL_LOAD_FAILED', { message: `The model cannot be loaded: ${answer.message}` });
    }
    this.rssBytes = answer.rssBytes;
    this.#servable = servableSignature(answer.model);
    return this.#servable;
  }

  run(request: RunRequest): Promise<RunOutcome> {
    const servable = this.#servable;
    if (servable === undefined) throw new Error('a runner was given a run before its model was loaded');
    return new Promise((settle) => {
      this.#runs.push({ request, settle, startedMs: this.#clock.now() });
      this.#socket.write(runFrame(request, servable.outputIndexes));
    });
  }

  /** The run that is going on, and when the runner was free to begin it. */
  get currentRun(): { readonly request: RunRequest; readonly startedMs: number } | undefined {
    return this.#runs[0];
  }

  /** Ends the process at once. */
  kill(reason: string): void {
    this.#killReason ??= reason;
    this.#child.kill('SIGKILL');
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

  #outcome(frame: Buffer, run: Run): RunOutcome {
    const { runMs, rssBytes } = readRunHead(frame);
    this.rssBytes = rssBytes;
    if (frameWords(frame)[head.kind] === frameKind.refusal) {
      return { kind: 'refused', message: (readJson(frame) as RefusalMessage).message };
    }
    const signature = this.#servable?.signature ?? { inputs: [], outputs: [] };
    const { outputs } = readResult(frame, run.request.outputs, signature);
    return { kind: 'done', outputs, startedMs: run.startedMs, runMs };
  }

  #abandonRuns(reason: string): void {
    const [current, ...waiting] = this.#runs.splice(0);
    current?.settle({ kind: 'died', reason });
    for (const run of waiting) run.settle({ kind: 'not_started' });
  }
}

function exitText(code: number | null, signal: NodeJS.Signals | null): string {
  return signal === null ? `it exited with code ${code}` : `it was ended by ${signal}`;
}
