import type { BigIntStats, Dirent } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';

/** A file beside a graph that says how its model is used. */
export interface CompanionFile {
  /** As in a folder of the Hub: `config.json`, `1_Pooling/config.json`. */
  readonly name: string;
  readonly path: string;
  readonly stat: BigIntStats;
}

const names = new Set([
  'config.json',
  'preprocessor_config.json',
  'tokenizer.json',
  'tokenizer_config.json',
  'special_tokens_map.json',
  'modules.json',
  'sentence_bert_config.json',
  'config_sentence_transformers.json',
  'example.json',
]);
/** A module of sentence-transformers, such as `1_Pooling`. */
const moduleFolder = /^[0-9]{1,2}_[A-Za-z]{1,32}$/;
const moduleFiles = ['config.json', 'model.safetensors'] as const;

/**
 * The companions of a graph, by name; each from the first of the folders that has one.
 *
 * @param folders may be missing
 */
export async function companionFiles(folders: readonly string[]): Promise<readonly CompanionFile[]> {
  const found = new Map<string, CompanionFile>();
  for (const folder of folders) {
    const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
    for (const name of entries.flatMap(candidates)) {
      if (found.has(name)) continue;
      const path = join(folder, name);
      const stats = await stat(path, { bigint: true }).catch(() => undefined);
      if (stats?.isFile() === true) found.set(name, { name, path, stat: stats });
    }
  }
  return [...found.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
}

function candidates(entry: Dirent): readonly string[] {
  if (names.has(entry.name)) return [entry.name];
  if (!moduleFolder.test(entry.name)) return [];
  return moduleFiles.map((file) => `${entry.name}/${file}`);
}
