import { readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { AppError } from '../errors.ts';
import { extractTar } from './archive/extract-tar.ts';
import { extractZip } from './archive/extract-zip.ts';
import { Extraction } from './archive/extraction.ts';
import { checkFolder, checksumListName, parseChecksumList } from './checksum-list.ts';
import { sha256File } from './digest.ts';
import { type DownloadDependencies, download } from './download.ts';
import type { ModelCache } from './model-cache.ts';
import type { ArchiveFormat } from './models-uri.ts';
import { RefusedByServer, type RemoteFile } from './remote-file.ts';

/** Weights hardly shrink when they are packed: an archive that grows a hundredfold is a bomb, unless it is small. */
const maxGrowth = 100;
const alwaysAllowedBytes = 1024 ** 3;

export interface RemoteArchive {
  readonly file: RemoteFile;
  /** The list `SHA256SUMS` beside it, if there is one. */
  readonly checksums: RemoteFile;
  /** Its name in that list. */
  readonly name: string;
  readonly format: ArchiveFormat;
  /** What the archive must hash to; without it, what the list says. */
  readonly sha256: string | undefined;
}

/**
 * Fetches an archive and unpacks it, unless the cache has the same already.
 *
 * @throws AppError `MODELS_SOURCE_UNAVAILABLE` or `MODELS_FETCH_FAILED`
 */
export async function fetchArchive(
  archive: RemoteArchive,
  cache: ModelCache,
  dependencies: DownloadDependencies,
): Promise<void> {
  const expected = archive.sha256 ?? (await listedDigest(archive, cache, dependencies));
  if (expected !== undefined && (await cache.currentId()) === expected) return;

  const path = cache.objectPath('archive');
  const options = {
    digest: expected === undefined ? undefined : ({ algorithm: 'sha256', value: expected } as const),
    knownTag: expected === undefined ? await cache.currentTag() : undefined,
  };
  const { tag, isNew } = await download(archive.file, path, dependencies, options);
  if (!isNew) return;

  const id = expected ?? (await sha256File(path, dependencies.signal));
  dependencies.log.info({ sha256: id }, 'The archive with the models has been fetched');
  await cache.addSnapshot(id, (folder) => unpack(archive.format, path, folder, dependencies.signal), tag);
  await cache.publish(id, new Set());
}

async function listedDigest(
  { checksums, name }: RemoteArchive,
  cache: ModelCache,
  dependencies: DownloadDependencies,
): Promise<string | undefined> {
  const path = cache.objectPath(checksumListName);
  try {
    await download(checksums, path, dependencies);
  } catch (thrown) {
    // A bucket that may not be listed says "forbidden" of what is not there.
    if (thrown instanceof RefusedByServer) return undefined;
    throw thrown;
  }
  const expected = parseChecksumList(await readFile(path, 'utf8')).get(name);
  if (expected !== undefined) return expected;
  throw new AppError('MODELS_FETCH_FAILED', { message: `${checksums.name} does not list ${name}` });
}

async function unpack(format: ArchiveFormat, path: string, folder: string, signal: AbortSignal): Promise<void> {
  const { size } = await stat(path);
  const extraction = new Extraction(folder, Math.max(alwaysAllowedBytes, size * maxGrowth), signal);
  await (format === 'tar' ? extractTar(path, extraction) : extractZip(path, extraction));
  signal.throwIfAborted();
  await liftOnlyFolder(folder);
  await checkFolder(folder, signal);
}

/** `tar czf models.tar.gz models` packs the repository with its folder; a single model is no such folder. */
async function liftOnlyFolder(folder: string): Promise<void> {
  const [only, ...others] = await readdir(folder, { withFileTypes: true });
  if (only === undefined || others.length > 0 || !only.isDirectory()) return;
  const inside = await readdir(join(folder, only.name));
  if (inside.some((name) => name === 'model.json' || /^[1-9][0-9]*$/.test(name))) return;

  const lifted = `${folder}-lifted`;
  await rename(join(folder, only.name), lifted);
  await rm(folder, { recursive: true });
  await rename(lifted, folder);
}
