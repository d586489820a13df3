import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export const shippedModelsDir = new URL('../../models', import.meta.url).pathname;

export const fixtureModelsDir = new URL('../fixtures/models', import.meta.url).pathname;

export interface TemporaryFolder extends AsyncDisposable {
  readonly path: string;
}

/** An empty folder that is removed at the end of the scope. */
export async function temporaryFolder(parent = tmpdir()): Promise<TemporaryFolder> {
  const path = await mkdtemp(join(parent, 'inferd-test-'));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
}

/** A model repository with copies of the shipped models of these names. */
export async function temporaryRepository(...names: string[]): Promise<TemporaryFolder> {
  const folder = await temporaryFolder();
  for (const name of names) await cp(join(shippedModelsDir, name), join(folder.path, name), { recursive: true });
  return folder;
}

/** A model repository with copies of the fixture models of these names, and with these texts beside them, by path. */
export async function fixtureRepository(
  names: readonly string[],
  files: Readonly<Record<string, string>> = {},
): Promise<TemporaryFolder> {
  const folder = await temporaryFolder();
  for (const name of names) {
    await cp(join(fixtureModelsDir, `${name}.onnx`), join(folder.path, name, '1', 'model.onnx'));
  }
  for (const [path, content] of Object.entries(files)) await writeFile(join(folder.path, path), content);
  return folder;
}
