import { spawn } from 'node:child_process';
import { Duplex, type Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { childEnvironment } from '../../child-environment.ts';

/** The runner's program stands beside this file, as TypeScript in the sources and as JavaScript in the package. */
const childPath = fileURLToPath(new URL(`./child${import.meta.url.endsWith('.ts') ? '.ts' : '.js'}`, import.meta.url));

/** A runner as the main process has it. */
export interface RunnerChild {
  /** Undefined when it could not be started. */
  readonly pid: number | undefined;
  /** Carries the frames; its end, when it is ended from here, ends the runner after its answers. */
  readonly socket: Duplex;
  /** What native code writes. */
  readonly outputs: readonly Readable[];
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
export const spawnRunner: SpawnRunner = (model, sharedFd) => {
  const child = spawn(process.execPath, [childPath, model], {
    // Descriptor 3 carries the frames; 4 carries nothing, and breaks when this process ends; 5 is the shared file.
    stdio: ['ignore', 'pipe', 'pipe', 'pipe', 'pipe', sharedFd ?? 'ignore'],
    // ONNX Runtime reports its use to its maker unless it finds this when it is loaded.
    env: { ...childEnvironment(process.env), ORT_DISABLE_TELEMETRY: '1' },
  });
  const socket = child.stdio[3];
  if (!(socket instanceof Duplex)) throw new TypeError('a runner has no socket at descriptor 3');
  return {
    pid: child.pid,
    socket,
    outputs: [child.stdout, child.stderr].filter((stream) => stream !== null),
    onExit: (listener) => void child.once('exit', listener),
    onError: (listener) => void child.once('error', listener),
    kill: () => void child.kill('SIGKILL'),
  };
};
