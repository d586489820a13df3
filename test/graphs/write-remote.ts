import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';

/** Writes a `remote.json` where a server finds it, with a `model.json` if there is one to write. */
export async function writeRemote(
  repository: string,
  name: string,
  remote: object | string,
  { manifest, version = '1' }: { readonly manifest?: object; readonly version?: string } = {},
): Promise<void> {
  const path = join(repository, name, version, 'remote.json');
  await mkdir(dirname(path), { recursive: true });
  if (manifest !== undefined) await writeFile(join(repository, name, 'model.json'), JSON.stringify(manifest));
  await writeFile(path, typeof remote === 'string' ? remote : JSON.stringify(remote));
}
