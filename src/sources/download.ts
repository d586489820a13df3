import { open, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { AppError } from '../errors.ts';
import type { Log } from '../timing/log.ts';
import { untilAborted } from '../timing/until-aborted.ts';
import { type Digest, hashFile } from './digest.ts';
import type { RemoteBody, RemoteFile } from './remote-file.ts';
import { type RetryDependencies, retry } from './retry.ts';

export interface DownloadDependencies extends RetryDependencies {
  readonly log: RetryDependencies['log'] & Pick<Log, 'info'>;
  /** Told of every piece that arrived. */
  readonly onProgress: (file: string, receivedBytes: number, totalBytes: number | undefined) => void;
}

export interface DownloadOptions {
  /** What the file must hash to, where that is known beforehand. */
  readonly digest?: Digest | undefined;
  /** A file with this tag is not fetched again. */
  readonly knownTag?: string | undefined;
}

/** A server that sends nothing for so long has gone. */
const stallTimeoutMs = 30_000;

/** The digest did not fit a file that was put together from several answers, so it is worth another try. */
class SpoiltParts extends Error {}

/**
 * Fetches a file to `path`, checked by its digest. Until it is whole it is `path`.part; a partial
 * download is resumed, also that of an earlier process.
 *
 * @returns the tag of the file, and whether it was fetched or has the known tag
 * @throws AppError `MODELS_SOURCE_UNAVAILABLE`, or `MODELS_FETCH_FAILED` when the digest is wrong
 */
export async function download(
  file: RemoteFile,
  path: string,
  dependencies: DownloadDependencies,
  { digest, knownTag }: DownloadOptions = {},
): Promise<{ readonly tag: string | undefined; readonly isNew: boolean }> {
  const { signal } = dependencies;
  const part = `${path}.part`;
  let progressBytes = 0;

  const attempt = async () => {
    const present = await presentPart(part);
    // The client of S3 takes no signal.
    const body = await untilAborted(file.open(present, signal), signal);
    if (knownTag !== undefined && body.tag === knownTag) {
      await body.reader.cancel();
      return { tag: body.tag, isNew: false };
    }
    if (body.firstByte !== 0 && body.firstByte !== present.firstByte) {
      await body.reader.cancel();
      throw new Error(`The server sent byte ${body.firstByte} and what follows; expected ${present.firstByte}`);
    }
    await startPart(part, body);
    await append(part, body, dependencies, (receivedBytes) => {
      progressBytes = Math.max(progressBytes, receivedBytes);
      dependencies.onProgress(file.name, receivedBytes, body.totalBytes);
    });
    await check(file.name, part, digest ?? body.digests[0], body.firstByte > 0, dependencies);
    await rename(part, path);
    await rm(`${part}.tag`, { force: true });
    return { tag: body.tag, isNew: true };
  };
  return retry(file.name, attempt, dependencies, () => progressBytes);
}

/** The bytes of a partial download, and the tag of their file. Without a tag the file is unknown, and is fetched anew. */
async function presentPart(part: string) {
  const tag = await readFile(`${part}.tag`, 'utf8').catch(() => undefined);
  const bytes =
    tag === undefined
      ? 0
      : await stat(part)
          .then(({ size }) => size)
          .catch(() => 0);
  return { firstByte: bytes, tag };
}

/** Before the first byte of another file comes, the earlier bytes go, and the tag that is written is its own. */
async function startPart(part: string, body: RemoteBody): Promise<void> {
  if (body.firstByte > 0) return;
  await rm(`${part}.tag`, { force: true });
  await writeFile(part, '');
  if (body.tag !== undefined) await writeFile(`${part}.tag`, body.tag);
}

async function append(
  part: string,
  { reader, firstByte, totalBytes }: RemoteBody,
  { clock, signal }: DownloadDependencies,
  onBytes: (receivedBytes: number) => void,
): Promise<void> {
  let hasStalled = false;
  const stop = () => void reader.cancel().catch(() => undefined);
  const onStall = () => {
    hasStalled = true;
    stop();
  };
  signal.addEventListener('abort', stop, { once: true });
  const handle = await open(part, 'r+');
  let receivedBytes = firstByte;
  try {
    await handle.truncate(receivedBytes);
    for (;;) {
      const cancelStall = clock.setTimer(stallTimeoutMs, onStall);
      const { done, value } = await reader.read().finally(cancelStall);
      if (done) break;
      await handle.write(value, 0, value.length, receivedBytes);
      receivedBytes += value.length;
      onBytes(receivedBytes);
    }
  } finally {
    signal.removeEventListener('abort', stop);
    stop();
    await handle.close();
  }
  signal.throwIfAborted();
  if (hasStalled) throw new Error(`Nothing came for ${stallTimeoutMs} ms after ${receivedBytes} bytes`);
  if (totalBytes === undefined || receivedBytes === totalBytes) return;
  throw new Error(`The connection ended after ${receivedBytes} of ${totalBytes} bytes`);
}

async function check(
  name: string,
  part: string,
  digest: Digest | undefined,
  isResumed: boolean,
  { log, signal }: DownloadDependencies,
): Promise<void> {
  if (digest === undefined) {
    log.warn({ file: name }, 'The source gives no digest for the file, so only its size has been checked');
    return;
  }
  const value = await hashFile(part, digest, signal);
  if (value === digest.value) return;
  await rm(`${part}.tag`, { force: true });
  await rm(part, { force: true });
  const message = `${name} has the ${digest.algorithm} ${value} where ${digest.value} was expected`;
  if (isResumed) throw new SpoiltParts(message);
  throw new AppError('MODELS_FETCH_FAILED', { message, received: value, expected: digest.value });
}
