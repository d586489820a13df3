import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { onTestFinished } from 'vitest';
import { environment, succeed } from './run.ts';

/** A project of somebody else, in a folder that is removed at the end of the test. */
export async function newProject(packageJson: object = { private: true, type: 'module' }): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'inferd-project-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  await writeFile(join(folder, 'package.json'), JSON.stringify(packageJson));
  return folder;
}

export async function install(folder: string, ...packages: readonly string[]): Promise<void> {
  await succeed(folder, 'npm', ['install', '--no-audit', '--no-fund', '--prefer-offline', ...packages]);
}

/** Starts a server or a worker in a folder; gives its address, once every model is loaded. It ends with the test. */
export async function start(folder: string, program: string, args: readonly string[], more = {}): Promise<string> {
  const child = spawn(program, args, {
    cwd: folder,
    env: { ...environment, HOST: '127.0.0.1', PORT: '0', STORAGE: 'off', ...more },
    stdio: ['ignore', 'pipe', 'pipe'],
    // A group of its own: npm and its shell do not hand the signal on to the program.
    detached: true,
  });
  const { pid } = child;
  if (pid === undefined) throw new Error(`${program} cannot be started`);
  // Once no process of the group has its outputs any more.
  const end = once(child, 'close');
  onTestFinished(async () => {
    process.kill(-pid, 'SIGTERM');
    await end;
  });
  let errors = '';
  child.stderr.on('data', (chunk) => (errors += chunk));
  for await (const line of createInterface({ input: child.stdout })) {
    const address = /inferd (?:serves|works) .*? at (http:[^\s"]+)/.exec(line)?.[1];
    if (address === undefined) continue;
    // What comes later is read too, or its pipe would be full.
    child.stdout.resume();
    return address;
  }
  throw new Error(`${program} ${args.join(' ')} ended before it was ready:\n${errors}`);
}
