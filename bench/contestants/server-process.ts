import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, openSync } from 'node:fs';
import { createServer } from 'node:net';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { folders } from '../options.ts';
import type { RunningServer } from './contestant.ts';

export interface ServerCommand {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly cwd?: string;
  readonly port: number;
  /** Answers 200 when the server can take requests. */
  readonly readyPath: string;
}

const startTimeoutMs = 90_000;
const stopTimeoutMs = 10_000;

/**
 * Starts a server and waits until it is ready.
 *
 * Its output goes to a file under `.cache/logs`, for all contestants alike: writing the access log is part of the work.
 */
export async function startServer(server: ServerCommand): Promise<RunningServer> {
  const logFile = path.join(folders.cache, 'logs', `${server.name}.log`);
  mkdirSync(path.dirname(logFile), { recursive: true });
  const log = openSync(logFile, 'w');
  const child = spawn(server.command, server.args, {
    env: { ...process.env, ...server.env },
    stdio: ['ignore', log, log],
    // A process group of its own, so that its workers end with it.
    detached: true,
    ...(server.cwd !== undefined && { cwd: server.cwd }),
  });
  await once(child, 'spawn');
  const pid = child.pid;
  if (pid === undefined) throw new Error(`${server.name} did not start`);
  const ended = once(child, 'exit');

  const stop = async (): Promise<void> => {
    signalGroup(pid, 'SIGTERM');
    await Promise.race([ended, sleep(stopTimeoutMs, undefined, { ref: false })]);
    signalGroup(pid, 'SIGKILL');
  };

  const url = `http://127.0.0.1:${server.port}`;
  const startedMs = performance.now();
  while (!(await answersOk(url + server.readyPath))) {
    const late = performance.now() - startedMs > startTimeoutMs;
    if (late || child.exitCode !== null) {
      await stop();
      throw new Error(
        `${server.name} ${late ? 'is not ready in time' : `ended with ${child.exitCode}`}: see ${logFile}`,
      );
    }
    await sleep(100);
  }
  return { url, pid, stop };
}

/** A port that was free a moment ago. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('No free port');
  return address.port;
}

async function answersOk(url: string): Promise<boolean> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(1000) });
    await response.arrayBuffer();
    return response.ok;
  } catch {
    return false;
  }
}

function signalGroup(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-pid, signal);
  } catch (error) {
    // ESRCH: all of it has ended.
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error;
  }
}
