import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TemporaryFolder, temporaryRepository } from './folder.ts';

/** A repository of shipped models whose `model.json` asks for a cache of these settings. */
export async function cachedRepository(cache: object, ...names: string[]): Promise<TemporaryFolder> {
  const folder = await temporaryRepository(...names);
  for (const name of names) await changeManifest(join(folder.path, name), { cache });
  return folder;
}

/** Sets keys of the `model.json` of a model, which may have none. */
export async function changeManifest(folder: string, keys: object): Promise<void> {
  const path = join(folder, 'model.json');
  const manifest: object = JSON.parse(await readFile(path, 'utf8').catch(() => '{}'));
  await writeFile(path, JSON.stringify({ ...manifest, ...keys }));
}
