import { randomUUID } from 'node:crypto';
import { mkdir, readdir, readFile, readlink, rename, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';

/**
 * The cache of one source. `snapshots/<id>/` is a whole repository as it once was, `current` a link to the one that is
 * served, and `objects/` has files as they came, also unfinished ones. What is served changes by renaming the link, so
 * a crash leaves either the old or the new.
 */
export class ModelCache {
  readonly #root: string;
  /** What is served: a link that always leads to a folder. */
  readonly currentDir: string;

  constructor(cacheDir: string, sourceId: string) {
    this.#root = join(cacheDir, sourceId);
    this.currentDir = join(this.#root, 'current');
  }

  /** Makes the folders; what is served is empty as long as nothing was ever fetched. */
  async open(): Promise<void> {
    await Promise.all(
      ['objects', 'snapshots', 'work'].map((name) => mkdir(join(this.#root, name), { recursive: true })),
    );
    if ((await this.currentId()) !== undefined) return;
    const empty = join(this.#root, 'empty');
    await mkdir(empty, { recursive: true });
    await this.#link('empty');
  }

  objectPath(id: string): string {
    return join(this.#root, 'objects', id);
  }

  hasObject(id: string): Promise<boolean> {
    return isThere(this.objectPath(id));
  }

  /** Id of the snapshot that is served, if there is one. */
  async currentId(): Promise<string | undefined> {
    const target = await readlink(this.currentDir).catch(() => 'empty');
    return target === 'empty' ? undefined : basename(target);
  }

  has(snapshotId: string): Promise<boolean> {
    return isThere(join(this.#root, 'snapshots', snapshotId));
  }

  /** Tag of the file that the current snapshot was made of. */
  async currentTag(): Promise<string | undefined> {
    const id = await this.currentId();
    if (id === undefined) return undefined;
    return readFile(join(this.#root, 'snapshots', `${id}.tag`), 'utf8').catch(() => undefined);
  }

  /** A snapshot appears only when `fill` has made all of it. */
  async addSnapshot(id: string, fill: (folder: string) => Promise<void>, tag?: string): Promise<void> {
    const folder = join(this.#root, 'work', randomUUID());
    await mkdir(folder);
    try {
      await fill(folder);
      const target = join(this.#root, 'snapshots', id);
      await rm(target, { recursive: true, force: true });
      await rename(folder, target);
      if (tag !== undefined) await writeFile(`${target}.tag`, tag);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  }

  /** Serves the snapshot, and forgets the others and every object that is not kept. */
  async publish(snapshotId: string, keptObjects: ReadonlySet<string>): Promise<void> {
    await this.#link(join('snapshots', snapshotId));
    await this.#removeAllBut('snapshots', (name) => name === snapshotId || name === `${snapshotId}.tag`);
    await this.#removeAllBut('objects', (name) => keptObjects.has(name));
    await this.#removeAllBut('work', () => false);
  }

  async #link(target: string): Promise<void> {
    const link = join(this.#root, `current-${randomUUID()}`);
    await symlink(target, link);
    await rename(link, this.currentDir);
  }

  async #removeAllBut(folder: string, isKept: (name: string) => boolean): Promise<void> {
    const names = await readdir(join(this.#root, folder));
    const removed = names.filter((name) => !isKept(name));
    await Promise.all(removed.map((name) => rm(join(this.#root, folder, name), { recursive: true, force: true })));
  }
}

function isThere(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
