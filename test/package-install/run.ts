import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

/** What npm and the settings of this checkout add to the environment is not there for those who install the package. */
export const environment = Object.fromEntries(
  Object.entries(process.env).filter(([name]) => !/^npm_|^ONNXRUNTIME_|^NODE_ENV$/i.test(name)),
);

export interface Outcome {
  readonly code: number;
  readonly output: string;
  readonly errors: string;
}

/** Runs a program in a folder to its end. */
export async function run(folder: string, program: string, args: readonly string[], more = {}): Promise<Outcome> {
  const options = { cwd: folder, env: { ...environment, ...more }, maxBuffer: 64 * 1024 * 1024 };
  try {
    const { stdout, stderr } = await promisify(execFile)(program, args, options);
    return { code: 0, output: stdout, errors: stderr };
  } catch (error) {
    if (!(error instanceof Error && 'stdout' in error && 'stderr' in error && 'code' in error)) throw error;
    return { code: Number(error.code), output: String(error.stdout), errors: String(error.stderr) };
  }
}

/** The same, which has to succeed; gives what it has written. */
export async function succeed(folder: string, program: string, args: readonly string[]): Promise<string> {
  const { code, output, errors } = await run(folder, program, args);
  if (code !== 0) throw new Error(`${program} ${args.join(' ')} ends with ${code}:\n${output}${errors}`);
  return output;
}
