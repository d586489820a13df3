import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { projectDir } from '../helpers/process.ts';
import { succeed } from './run.ts';

declare module 'vitest' {
  export interface ProvidedContext {
    /** Path of the package, as a release makes it. */
    readonly packed: string;
  }
}

/** Packs inferd once for all tests; gives what removes the file. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const folder = await mkdtemp(join(tmpdir(), 'inferd-pack-'));
  const output = await succeed(projectDir, 'npm', ['pack', '--silent', '--pack-destination', folder]);
  project.provide('packed', join(folder, output.trim().split('\n').at(-1) ?? ''));
  return () => rm(folder, { recursive: true, force: true });
}
