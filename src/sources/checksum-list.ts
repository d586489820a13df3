import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { AppError } from '../errors.ts';
import { sha256File } from './digest.ts';
import { safePathParts } from './safe-path.ts';

export const checksumListName = 'SHA256SUMS';

/** Reads what `sha256sum` writes: a digest, then the path; a `*` before the path is a file read as it is. */
export function parseChecksumList(text: string): ReadonlyMap<string, string> {
  const lines = text.split(/\r?\n/).filter((line) => line.trim() !== '');
  return new Map(
    lines.map((line) => {
      const [, digest, path] = /^([0-9a-fA-F]{64})[ \t]+\*?(.+)$/.exec(line) ?? [];
      if (digest !== undefined && path !== undefined) return [path.replace(/^\.\//, ''), digest.toLowerCase()];
      throw new AppError('MODELS_FETCH_FAILED', {
        message: `${checksumListName} has a line that is no digest and path: ${JSON.stringify(line.slice(0, 200))}`,
      });
    }),
  );
}

/**
 * Checks a folder against the list `SHA256SUMS` in it, if there is one.
 *
 * @throws AppError `MODELS_FETCH_FAILED` when a file of the list is missing or another
 */
export async function checkFolder(folder: string, signal: AbortSignal): Promise<void> {
  const text = await readFile(join(folder, checksumListName), 'utf8').catch(() => undefined);
  if (text === undefined) return;
  for (const [name, expected] of parseChecksumList(text)) {
    const path = join(folder, ...safePathParts(name));
    const isThere = await stat(path)
      .then((found) => found.isFile())
      .catch(() => false);
    const received = isThere ? await sha256File(path, signal) : undefined;
    if (received === expected) continue;
    const fault = received === undefined ? 'is missing' : `has the sha256 ${received} where ${expected} was expected`;
    throw new AppError('MODELS_FETCH_FAILED', {
      message: `${name} of ${checksumListName} ${fault}`,
      received,
      expected,
    });
  }
}
