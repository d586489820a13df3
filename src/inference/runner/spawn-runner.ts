import { spawn } from 'node:child_process';
import { Duplex } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { childEnvironment } from '../../child-environment.ts';
import { followNativeOutput } from './native-output.ts';

/** The runner's program stands beside this file, as TypeScript in the sources and as JavaScript in the package. */
const childPath = fileURLToPath(new URL(`./child${import.meta.url.endsWith('.ts') ? '.ts' : '.js'}`, import.meta.url));

/** Carries the frames. When it is ended from here, the runner ends after its answers. */
export interface RunnerSocket {
  on(event: 'data', listener: (chunk: Buffer) => void): unknown;
  on(event: 'error', listener: (error: Error) => void): unknown;
  once(event: 'close', listener: () => void): unknown;
  write(frame: Buffer): unknown;
  end(): unknown;
}

/** A runner as the main process has it. */
export interface RunnerChild {
  /** Undefined when it could not be started. */
  readonly pid: number | undefined;
  readonly socket: RunnerSocket;
  /** Hands on what native code writes. */
  followOutput(nowMs: () => number, onLine: (line: string) => void): void;
  onExit(listener: (code: number | null, signal: NodeJS.Signals | null) => void): void;
  /** Is told of a runner that could not be started. */
  onError(listener: (error: Error) => void): void;
  /** Ends it at once. */
  kill(): void;
}

/**
 * Starts a runner.
 *
 * @param model is seen in lists of processes
 * @param sharedFd descriptor of the file that both have open
 */
export type SpawnRunner = (model: string, sharedFd: number | undefined) => RunnerChild;

/** Starts a process. */
export const spawnRunner: SpawnRunner = (model, sharedFd) =>
  spawnRunnerProcess({
    flags: [],
    program: childPath,
    model,
    sharedFd,
    // ONNX Runtime reports its use to its maker unless it finds this when it is loaded.
    environment: { ...childEnvironment(process.env), ORT_DISABLE_TELEMETRY: '1' },
  });

export interface RunnerCommand {
  /** Of Node.js. */
  readonly flags: readonly string[];
  readonly program: string;
  readonly model: string;
  readonly sharedFd: number | undefined;
  readonly environment: NodeJS.ProcessEnv;
}

/** Starts a process that has what a runner needs: a socket for frames, one that breaks when this process ends, and a file. */
export function spawnRunnerProcess({ flags, program, model, sharedFd, environment }: RunnerCommand): RunnerChild {
  const child = spawn(process.execPath, [...flags, program, model], {
    // Descriptor 3 carries the frames; 4 carries nothing, and breaks when this process ends; 5 is the shared file.
    stdio: ['ignore', 'pipe', 'pipe', 'pipe', 'pipe', sharedFd ?? 'ignore'],
    env: environment,
  });
  const socket = child.stdio[3];
  if (!(socket instanceof Duplex)) throw new TypeError('a runner has no socket at descriptor 3');
  return {
    pid: child.pid,
    socket,
    followOutput: (nowMs, onLine) => {
      for (const stream of [child.stdout, child.stderr]) if (stream !== null) followNativeOutput(stream, nowMs, onLine);
    },
    onExit: (listener) => void child.once('exit', listener),
    onError: (listener) => void child.once('error', listener),
    kill: () => void child.kill('SIGKILL'),
  };
}
