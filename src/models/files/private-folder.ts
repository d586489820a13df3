import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';

const pattern = /^inferd-(?:upload|model)-([^_]+)_(\d+)_(\d+)_/;

/** A folder for files of this process alone. */
export interface PrivateFolder {
  readonly path: string;
  remove(): Promise<void>;
}

/** Makes a folder that {@link sweepPrivateFolders} deletes if this process is killed before it does so itself. */
export async function makePrivateFolder(kind: 'upload' | 'model'): Promise<PrivateFolder> {
  const owner = `${host()}_${process.pid}_${await startOf(process.pid)}`;
  const path = await mkdtemp(join(tmpdir(), `inferd-${kind}-${owner}_`));
  return { path, remove: () => rm(path, { recursive: true, force: true }) };
}

/** Deletes what processes of this machine or container left behind that are no more. */
export async function sweepPrivateFolders(folder = tmpdir()): Promise<void> {
  const names = await readdir(folder).catch(() => []);
  await Promise.all(
    names.map(async (name) => {
      const [, owner, pid, start] = pattern.exec(name) ?? [];
      // The folder may be shared with containers, whose processes are not to be seen from here.
      if (owner !== host()) return;
      if ((await startOf(Number(pid))) === start) return;
      await rm(join(folder, name), { recursive: true, force: true }).catch(() => undefined);
    }),
  );
}

function host(): string {
  return hostname().replaceAll(/[^A-Za-z0-9.-]/g, '-');
}

/**
 * When a process was started, so that another one of the same number is not taken for it: in a container it is always
 * the same. Source: proc(5), field 22 of /proc/pid/stat. Elsewhere than on Linux, whether it lives: 1 or 0.
 */
async function startOf(pid: number): Promise<string> {
  const fields = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => undefined);
  // The name of the program, in parentheses, may have spaces.
  if (fields !== undefined) return fields.slice(fields.lastIndexOf(')') + 2).split(' ')[19] ?? '0';
  if (process.platform === 'linux') return 'gone';
  try {
    process.kill(pid, 0);
    return '1';
  } catch {
    return 'gone';
  }
}
