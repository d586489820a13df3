import { duplexPair } from 'node:stream';
import { frameKind, frameWords, head } from '../../src/inference/runner/frames/frame.ts';
import { FrameReader } from '../../src/inference/runner/frames/frame-reader.ts';
import { type CreateSession, RunnerProgram } from '../../src/inference/runner/runner-program.ts';
import { type SpawnRunner, spawnRunner } from '../../src/inference/runner/spawn-runner.ts';

/** Is called before a run of requests, which waits for it; warm-ups and trials are not asked for. */
type BeforeRun = (model: string) => Promise<void>;

/**
 * Starts runners in the process of the test: the program that a runner process runs, with the same frames over a socket in
 * memory, and the same ONNX Runtime. They start in a tenth of the time. They have no process id, nobody can crash them, and
 * a run holds up the test: what a test says of processes, of their memory or of long runs needs processes.
 */
export function localRunners(beforeRun: BeforeRun = async () => {}): SpawnRunner {
  let turn: Promise<unknown> = Promise.resolve();
  /** One after the other, so that a run is not timed with the work of another model. */
  const inTurn = (work: () => Promise<Buffer>): Promise<Buffer> => {
    const done = turn.then(work);
    turn = done.catch(() => {});
    return done;
  };
  return (model, sharedFd) => {
    const [socket, far] = duplexPair();
    const exit = Promise.withResolvers<{ code: number | null; signal: NodeJS.Signals | null }>();
    const killed = Promise.withResolvers<void>();
    let isKilled = false;
    let last = Promise.resolve();
    const program = new RunnerProgram(createSession, sharedFd);
    const finish = async (code: number | null, signal: NodeJS.Signals | null) => {
      await program.end();
      far.destroy();
      socket.destroy();
      exit.resolve({ code, signal });
    };
    const answer = async (frame: Buffer) => {
      if (isRequested(frame)) await Promise.race([beforeRun(model), killed.promise]);
      if (isKilled) return;
      // The answer is valid until the next call.
      const answered = Buffer.from(await inTurn(() => program.answer(frame)));
      if (!isKilled) far.write(answered);
    };
    const reader = new FrameReader((frame) => {
      last = last.then(() => answer(frame));
    });
    far.on('data', (chunk: Buffer) => reader.push(chunk));
    far.on('end', () => {
      last = last.then(() => (isKilled ? undefined : finish(0, null)));
    });
    return {
      pid: undefined,
      socket,
      followOutput: () => {},
      onExit: (listener) => void exit.promise.then(({ code, signal }) => listener(code, signal)),
      onError: () => {},
      kill: () => {
        if (isKilled) return;
        isKilled = true;
        killed.resolve();
        last = last.then(() => finish(null, 'SIGKILL'));
      },
    };
  };
}

/** Starts processes for the models of these names, and local runners for the others. */
export function processesFor(...models: readonly string[]): SpawnRunner {
  const local = localRunners();
  return (model, sharedFd) => (models.includes(model) ? spawnRunner : local)(model, sharedFd);
}

/** Runs of requests for one model that wait until they are let go, each for as long as the test likes. */
export class HeldRuns {
  readonly spawnRunner: SpawnRunner;
  #released = Promise.withResolvers<void>();

  constructor(held: string) {
    this.spawnRunner = localRunners(async (model) => {
      if (model === held) await this.#released.promise;
    });
  }

  /** Lets go of all runs, also of those that come later. */
  release(): void {
    this.#released.resolve();
  }

  /** Runs wait again from now on. */
  hold(): void {
    this.#released = Promise.withResolvers();
  }
}

function isRequested(frame: Buffer): boolean {
  const words = frameWords(frame);
  return words[head.kind] === frameKind.run && words[head.b] !== 0;
}

const createSession: CreateSession = async (path, options) => {
  // ONNX Runtime reports its use to its maker unless it finds this when it is loaded.
  process.env['ORT_DISABLE_TELEMETRY'] = '1';
  const { InferenceSession } = await import('onnxruntime-node');
  return InferenceSession.create(path, options);
};
