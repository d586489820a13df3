import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { z } from 'zod';
import { folders } from './options.ts';

export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryGb: number;
  readonly system: string;
  readonly versions: Readonly<Record<string, string>>;
  /** Mean number of runnable processes over the minute before the run; more than a little means a noisy machine. */
  readonly loadBefore: number;
}

/** Describes the machine and the versions that take part. */
export function describeMachine(): Machine {
  const cpus = os.cpus();
  return {
    cpu: cpus[0]?.model ?? 'unknown',
    cores: cpus.length,
    memoryGb: Math.round(os.totalmem() / 2 ** 30),
    system: `${os.type()} ${os.release()} ${os.arch()}`,
    versions: {
      node: process.version,
      fastify: packageVersion('fastify'),
      'onnxruntime-node': packageVersion('onnxruntime-node'),
      wrk: wrkVersion(),
    },
    loadBefore: os.loadavg()[0] ?? 0,
  };
}

function packageVersion(name: string): string {
  const file = path.join(folders.repository, 'node_modules', name, 'package.json');
  return z.object({ version: z.string() }).parse(JSON.parse(readFileSync(file, 'utf8'))).version;
}

function wrkVersion(): string {
  try {
    execFileSync('wrk', ['--version'], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
    return 'unknown';
  } catch (error) {
    // wrk prints its version and ends with 1, as it does after its usage.
    const { stdout } = z.object({ stdout: z.string() }).catch({ stdout: '' }).parse(error);
    const version = /^wrk (\S+)/.exec(stdout)?.[1];
    if (version !== undefined) return version;
    throw new Error('wrk is missing: apt-get install wrk', { cause: error });
  }
}
