import { createHash } from 'node:crypto';
import { copyFile, link, mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { AppError } from '../errors.ts';
import { untilAborted } from '../timing/until-aborted.ts';
import { checkFolder } from './checksum-list.ts';
import { type DownloadDependencies, download } from './download.ts';
import type { ModelCache } from './model-cache.ts';
import { SourceChanged } from './remote-file.ts';
import { retry } from './retry.ts';
import type { Bucket, BucketObject } from './s3.ts';
import { safePathParts } from './safe-path.ts';

/** More at once would not make one wire faster, fewer would wait for each small file. */
const parallelDownloads = 4;
/** How often a folder may change under our hands. */
const maxListings = 5;

interface FolderFile extends BucketObject {
  /** Where it belongs in the repository. */
  readonly parts: readonly string[];
  /** Name in the cache: the same object has the same. */
  readonly objectId: string;
}

/**
 * Fetches what lies in a bucket below a prefix, but for what the cache has already.
 *
 * @throws AppError `MODELS_SOURCE_UNAVAILABLE` or `MODELS_FETCH_FAILED`
 */
export async function fetchFolder(
  bucket: Bucket,
  prefix: string,
  cache: ModelCache,
  dependencies: DownloadDependencies,
): Promise<void> {
  for (let listings = 1; ; listings++) {
    try {
      return await fetchListed(bucket, prefix, cache, dependencies);
    } catch (thrown) {
      if (!(thrown instanceof SourceChanged) || listings === maxListings) throw thrown;
      dependencies.log.warn({ err: thrown }, 'The models have changed while they were fetched: listing them again');
    }
  }
}

async function fetchListed(
  bucket: Bucket,
  prefix: string,
  cache: ModelCache,
  dependencies: DownloadDependencies,
): Promise<void> {
  const list = () => untilAborted(bucket.list(prefix), dependencies.signal);
  const objects = await retry(`the list of ${prefix || 'the bucket'}`, list, dependencies);
  const files = objects.filter(({ key }) => !key.endsWith('/')).map((object) => folderFile(object, prefix));
  if (files.length === 0) {
    throw new AppError('MODELS_FETCH_FAILED', { message: `There is nothing below ${JSON.stringify(prefix)}` });
  }
  const snapshotId = hash(files.map(({ objectId, parts }) => `${objectId} ${parts.join('/')}`).sort());
  refuseTwins(files);
  if (!(await cache.has(snapshotId))) {
    await downloadAll(bucket, files, cache, dependencies);
    await cache.addSnapshot(snapshotId, async (folder) => {
      for (const { parts, objectId } of files) await place(cache.objectPath(objectId), join(folder, ...parts));
      await checkFolder(folder, dependencies.signal);
    });
  }
  await cache.publish(snapshotId, new Set(files.map(({ objectId }) => objectId)));
}

/** Two keys may mean one path, such as `a/b` and `a/./b`: the second would be written over what the first is a link to. */
function refuseTwins(files: readonly FolderFile[]): void {
  const keys = new Map<string, string>();
  for (const { key, parts } of files) {
    const path = parts.join('/');
    const other = keys.get(path);
    keys.set(path, key);
    if (other === undefined) continue;
    const message = `The objects ${JSON.stringify(other)} and ${JSON.stringify(key)} are the same file`;
    throw new AppError('MODELS_FETCH_FAILED', { message, received: key });
  }
}

function folderFile(object: BucketObject, prefix: string): FolderFile {
  const parts = safePathParts(object.key.slice(prefix.length));
  return { ...object, parts, objectId: hash([object.key, object.etag, String(object.sizeBytes)]) };
}

/** Every download is awaited, also after one has failed: none may write into the cache of the next attempt. */
async function downloadAll(
  bucket: Bucket,
  files: readonly FolderFile[],
  cache: ModelCache,
  dependencies: DownloadDependencies,
): Promise<void> {
  const queue = [...files];
  const failures: unknown[] = [];
  const work = async () => {
    for (let file = queue.shift(); file !== undefined && failures.length === 0; file = queue.shift()) {
      const path = cache.objectPath(file.objectId);
      if (await cache.hasObject(file.objectId)) continue;
      await download(bucket.file(file.key, file.etag), path, dependencies).catch((thrown) => failures.push(thrown));
    }
  };
  await Promise.all(Array.from({ length: parallelDownloads }, work));
  if (failures.length > 0) throw failures[0];
}

/** A link costs no space; where there are none, a copy does. */
async function place(source: string, target: string): Promise<void> {
  await mkdir(dirname(target), { recursive: true });
  await link(source, target).catch(() => copyFile(source, target));
}

function hash(lines: readonly string[]): string {
  return createHash('sha256').update(lines.join('\n')).digest('hex').slice(0, 32);
}
