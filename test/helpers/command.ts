import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { projectDir } from './process.ts';

/** Runs a command of the program to its end. */
export async function inferd(args: readonly string[], environment: Record<string, string>) {
  const child = spawn(process.execPath, ['src/main.ts', ...args], {
    cwd: projectDir,
    env: { ...process.env, ...environment },
  });
  let output = '';
  child.stdout.on('data', (chunk) => (output += chunk));
  let errors = '';
  child.stderr.on('data', (chunk) => (errors += chunk));
  const [code] = await once(child, 'close');
  return { code, output, errors };
}
