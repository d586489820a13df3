import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export const shippedModelsDir = new URL('../../models', import.meta.url).pathname;

export interface TemporaryFolder extends AsyncDisposable {
  readonly path: string;
}

/** An empty folder that is removed at the end of the scope. */
export async function temporaryFolder(): Promise<TemporaryFolder> {
  const path = await mkdtemp(join(tmpdir(), 'inferd-test-'));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
}

/** A model repository with copies of the shipped models of these names. */
export async function temporaryRepository(...names: string[]): Promise<TemporaryFolder> {
  const folder = await temporaryFolder();
  for (const name of names) await cp(join(shippedModelsDir, name), join(folder.path, name), { recursive: true });
  return folder;
}
