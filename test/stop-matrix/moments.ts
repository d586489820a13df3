import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';

/** Time up to the last moment: longer than a first start with the embedded database takes on an idle machine. */
const projectDir = new URL('../..', import.meta.url).pathname;
const lastMomentMs = 6000;
const startTimeoutMs = 120_000;

/** Moments after the start of the process in milliseconds: the first at 0, and closer at the beginning. */
export function moments(count: number): number[] {
  return Array.from({ length: count }, (_, index) =>
    Math.round(lastMomentMs * (index / Math.max(1, count - 1)) ** 1.7),
  );
}

export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  /** From the signal to the end of the process. */
  readonly stopMs: number;
  /** Whether the program answered the signal. */
  readonly wasHeard: boolean;
  /** Its descendants that live on. */
  readonly left: readonly number[];
}

/** Starts the program, and ends it by SIGTERM so long after. */
export async function endAt(atMs: number, environment: Readonly<Record<string, string>>): Promise<Ended> {
  const child = start(environment);
  const exit = once(child, 'exit');
  child.stdout?.resume();
  await delay(atMs);
  const descendants = await descendantsOf(child.pid ?? 0);
  const startedMs = performance.now();
  child.kill('SIGTERM');
  const [code, signal] = (await exit) as [number | null, NodeJS.Signals | null];
  const stopMs = performance.now() - startedMs;
  const left = descendants.filter(isAlive);
  return { code, signal, stopMs, wasHeard: signal === null, left };
}

/** Starts the program to the end; gives why it did not come there, if it did not. */
export async function startFully(environment: Readonly<Record<string, string>>): Promise<string | undefined> {
  const child = start(environment);
  const exit = once(child, 'exit');
  const hasStorage = environment['STORAGE'] === 'on' && environment['DATABASE_URL']?.includes(':5432') !== false;
  const wanted = hasStorage ? '"Storage ready"' : '"msg":"inferd serves';
  const complaints: string[] = [];
  const started = new Promise<undefined>((resolve) => {
    createInterface({ input: child.stdout ?? process.stdin }).on('line', (line) => {
      if (line.includes(wanted)) resolve(undefined);
      if (/"level":(40|50|60)/.test(line)) complaints.push(line);
    });
  });
  const failed = exit.then(([code]) => `the next start ended with ${code}: ${complaints.join('\n')}`);
  const late = delay(startTimeoutMs, `the next start took too long: ${complaints.join('\n')}`, { ref: false });
  const problem = await Promise.race([started, failed, late]);
  const descendants = await descendantsOf(child.pid ?? 0);
  child.kill('SIGKILL');
  await exit;
  // They notice that their server is gone, and write until then.
  while (descendants.some(isAlive)) await delay(10);
  return problem;
}

function start(environment: Readonly<Record<string, string>>): ChildProcess {
  return spawn(process.execPath, ['src/main.ts', 'serve'], {
    cwd: projectDir,
    env: { ...process.env, HOST: '127.0.0.1', PORT: '0', ...environment },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
}

async function descendantsOf(pid: number): Promise<number[]> {
  const text = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8').catch(() => '');
  const children = text.split(' ').filter(Boolean).map(Number);
  return [...children, ...(await Promise.all(children.map(descendantsOf))).flat()];
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
