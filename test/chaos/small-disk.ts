import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir } from 'node:fs/promises';
import { promisify } from 'node:util';

const run = promisify(execFile);
const isInside = process.env['INFERD_CHAOS_MOUNTS'] === '1';
/** As root; and as anybody, where users may have namespaces of their own. */
const ways = [['--mount'], ['--map-root-user', '--mount']];

/**
 * Runs this program again where it may mount, if it may not yet.
 *
 * @returns the exit code of that; undefined where this is it
 * @throws Error when the machine lets nobody mount
 */
export async function runWithOwnMounts(): Promise<number | undefined> {
  if (isInside) return undefined;
  for (const way of ways) {
    const mayMount = await run('unshare', [...way, 'mount', '-t', 'tmpfs', 'tmpfs', '/mnt']).then(
      () => true,
      () => false,
    );
    if (!mayMount) continue;
    const child: ChildProcess = spawn('unshare', [...way, process.execPath, ...process.argv.slice(1)], {
      env: { ...process.env, INFERD_CHAOS_MOUNTS: '1' },
      stdio: 'inherit',
    });
    const [code] = (await once(child, 'exit')) as [number | null];
    return code ?? 1;
  }
  throw new Error(
    'A small disk cannot be made here: `unshare --mount` needs root (in a container: --privileged, or CAP_SYS_ADMIN and no ' +
      'AppArmor profile), `unshare --map-root-user --mount` namespaces for users (sysctl kernel.unprivileged_userns_clone=1)',
  );
}

/** A file system in memory that is soon full. */
export class SmallDisk {
  readonly path: string;

  private constructor(path: string) {
    this.path = path;
  }

  static async mount(path: string, megabytes: number): Promise<SmallDisk> {
    await mkdir(path, { recursive: true });
    await run('mount', ['-t', 'tmpfs', '-o', `size=${megabytes}m`, 'tmpfs', path]);
    return new SmallDisk(path);
  }

  async resize(megabytes: number): Promise<void> {
    await run('mount', ['-o', `remount,size=${megabytes}m`, this.path]);
  }

  unmount(): Promise<unknown> {
    return run('umount', ['--lazy', this.path]);
  }
}
