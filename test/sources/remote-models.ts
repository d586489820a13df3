import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { readSettings } from '../../src/settings.ts';
import { RemoteModels } from '../../src/sources/fetch-models.ts';
import { createPatience } from './patience.ts';

/** Fetches the models of an address into a cache, as a server at its start, and tells what it would serve. */
export async function fetchModels(uri: string | URL, cacheDir: string, environment: Record<string, string> = {}) {
  const patience = createPatience();
  const reports: string[] = [];
  const { s3 } = readSettings(environment);
  const models = await RemoteModels.open({ uri: String(uri), cacheDir, s3 }, patience);
  await models.fetch({ report: (what) => void reports.push(what) });
  return { files: await readTree(models.modelsDir), warnings: patience.warnings, reports };
}

/** Every file of a folder by its path. */
export async function readTree(folder: string): Promise<Record<string, string>> {
  const paths = (await readdir(folder, { recursive: true })).sort();
  const files: Record<string, string> = {};
  for (const path of paths) {
    if ((await stat(join(folder, path))).isFile()) files[path] = await readFile(join(folder, path), 'utf8');
  }
  return files;
}
