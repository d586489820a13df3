import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { projectDir } from '../helpers/process.ts';

const execute = promisify(execFile);

/** What a program says, on both of its outputs, when it ends well. */
export async function run(program: string, ...args: string[]): Promise<string> {
  const { stdout, stderr } = await execute(program, args, { cwd: projectDir, maxBuffer: 64 * 1024 * 1024 });
  return `${stdout}\n${stderr}`;
}

/** What it says when it must not end well. */
export async function runToFailure(program: string, ...args: string[]): Promise<string> {
  try {
    await execute(program, args, { cwd: projectDir });
  } catch (thrown) {
    const { stdout, stderr } = thrown as { stdout: string; stderr: string };
    return `${stdout}\n${stderr}`;
  }
  throw new Error(`${program} ${args.join(' ')} ended well`);
}
