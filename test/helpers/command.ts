import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { vi } from 'vitest';
import { run } from '../../src/cli/run.ts';
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

/** Runs a command in the process of the test: what it writes and the code that it would exit with are those of {@link inferd}. */
export async function inferdHere(args: readonly string[], environment: Record<string, string>) {
  const texts = { output: '', errors: '' };
  const catchOf = (stream: NodeJS.WriteStream, name: keyof typeof texts) =>
    vi.spyOn(stream, 'write').mockImplementation((text) => {
      texts[name] += String(text);
      return true;
    });
  const caught = [catchOf(process.stdout, 'output'), catchOf(process.stderr, 'errors')];
  const before = Object.keys(environment).map((name) => [name, process.env[name]] as const);
  Object.assign(process.env, environment);
  try {
    const code = await run(args);
    return { code, ...texts };
  } finally {
    for (const one of caught) one.mockRestore();
    for (const [name, value] of before) {
      if (value === undefined) delete process.env[name];
      else process.env[name] = value;
    }
  }
}
