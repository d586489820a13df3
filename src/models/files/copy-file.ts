import { constants } from 'node:fs';
import { copyFile as copyWhole, type FileHandle, open } from 'node:fs/promises';

/** Large, so that a copy takes few turns of the event loop. */
const sliceBytes = 8 * 2 ** 20;

/**
 * Copies a file: by sharing its blocks where the file system can, else slice by slice, since a copy by the system cannot be
 * ended, and the process could not either before it is done.
 *
 * @throws the reason of the signal, and what the file system throws; a part of the copy may be there then
 */
export async function copyFile(source: string, target: string, signal?: AbortSignal): Promise<void> {
  const isShared = await copyWhole(source, target, constants.COPYFILE_FICLONE_FORCE).then(
    () => true,
    () => false,
  );
  if (isShared) return;
  const from = await open(source, 'r');
  try {
    const to = await open(target, 'w');
    await copySlices(from, to, signal).finally(() => to.close());
  } finally {
    await from.close();
  }
}

async function copySlices(from: FileHandle, to: FileHandle, signal: AbortSignal | undefined): Promise<void> {
  const { size } = await from.stat();
  const slice = Buffer.allocUnsafeSlow(Math.max(1, Math.min(sliceBytes, size)));
  for (;;) {
    signal?.throwIfAborted();
    const { bytesRead } = await from.read(slice, 0, slice.length);
    if (bytesRead === 0) return;
    await to.writeFile(slice.subarray(0, bytesRead));
  }
}
