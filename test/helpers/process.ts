import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { onTestFinished } from 'vitest';
import { shippedModelsDir } from './folder.ts';

export const projectDir = new URL('../..', import.meta.url).pathname;

export type LogLine = Readonly<Record<string, unknown>>;

export interface SpawnedProcess extends AsyncDisposable {
  readonly child: ChildProcess;
  /** Every line that the process has written so far. */
  readonly lines: readonly LogLine[];
  /** The first line, of those written already or later, that fits. */
  line(fits: (line: LogLine) => boolean): Promise<LogLine>;
  /** Exit code and signal. */
  readonly exit: Promise<unknown[]>;
}

export interface ServerProcess extends SpawnedProcess {
  readonly address: string;
}

/** The real program on a free port, once every model is loaded; it is killed at the end of the scope. */
export async function startProcess(...program: Parameters<typeof spawnProcess>): Promise<ServerProcess> {
  const spawned = spawnProcess(...program);
  const ready = await spawned.line(({ msg }) => String(msg).match(/^inferd (serves|works)/) !== null);
  const address = /http:\S+/.exec(String(ready['msg']))?.[0];
  if (address === undefined) throw new Error(`No address in ${JSON.stringify(ready)}`);
  return { ...spawned, address };
}

/** The environment of a server on a free port with the shipped models and without a storage, unless it is said otherwise. */
export function serverEnvironment(environment: Record<string, string>): NodeJS.ProcessEnv {
  return {
    ...process.env,
    HOST: '127.0.0.1',
    PORT: '0',
    MODELS_DIR: shippedModelsDir,
    STORAGE: 'off',
    ...environment,
  };
}

/** The real program on a free port, as soon as its process is there; it is killed at the end of the scope. */
export function spawnProcess(
  environment: Record<string, string> = {},
  command: 'serve' | 'worker' = 'serve',
  options: readonly string[] = [],
): SpawnedProcess {
  const child = spawn(process.execPath, ['src/main.ts', command, ...options], {
    cwd: projectDir,
    env: serverEnvironment(environment),
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  // Also when the test runs out of time, and its scope never ends.
  onTestFinished(() => void child.kill('SIGKILL'));
  const exit = once(child, 'exit');
  const lines: LogLine[] = [];
  const listeners = new Set<() => void>();
  createInterface({ input: child.stdout }).on('line', (text) => {
    lines.push(JSON.parse(text));
    for (const listener of listeners) listener();
  });
  const line = (fits: (line: LogLine) => boolean) =>
    new Promise<LogLine>((resolve) => {
      const look = () => {
        const found = lines.find(fits);
        if (found === undefined) return;
        listeners.delete(look);
        resolve(found);
      };
      listeners.add(look);
      look();
    });
  const dispose = async () => {
    child.kill('SIGKILL');
    await exit;
  };

  return { child, lines, line, exit, [Symbol.asyncDispose]: dispose };
}

/** Process ids of the runners of a model. */
export async function runnerPids(address: string, model: string): Promise<number[]> {
  const response = await fetch(new URL(`/models/${model}`, address));
  const { versions } = (await response.json()) as { versions: { runners: { pid: number }[] }[] };
  return versions.flatMap((version) => version.runners.map(({ pid }) => pid));
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
