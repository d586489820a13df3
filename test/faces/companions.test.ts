import { execFile } from 'node:child_process';
import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { Companions } from '../../src/faces/companions.ts';
import { temporaryFolder } from '../helpers/folder.ts';

const most = 8;

test('a file that a companion names is read only from the repository, whole and small', async () => {
  await using repository = await temporaryFolder();
  await using outside = await temporaryFolder();
  const folder = join(repository.path, 'colours', '1');
  const path = join(folder, 'example.json');
  await mkdir(join(folder, 'folder.png'), { recursive: true });
  await writeFile(path, '{}');
  await writeFile(join(folder, 'small.png'), 'bytes');
  await writeFile(join(folder, 'large.png'), 'many bytes');
  await writeFile(join(outside.path, 'secret.png'), 'secret');
  await symlink(join(outside.path, 'secret.png'), join(folder, 'link.png'));
  // To read one would never end.
  await promisify(execFile)('mkfifo', [join(folder, 'pipe.png')]);
  const companions = new Companions(repository.path, [{ name: 'example.json', path, sizeBytes: 2 }]);
  const read = (name: string) => companions.beside('example.json', name, most);

  expect(Buffer.from(await read('small.png')).toString()).toBe('bytes');
  for (const [name, why] of [
    ['large.png', 'large.png has 10 bytes, expected at most 8'],
    ['folder.png', 'folder.png is no file'],
    ['pipe.png', 'pipe.png is no file'],
    ['link.png', 'is a link that leaves the model repository'],
    ['none.png', 'There is no colours/1/none.png in the repository'],
  ]) {
    await expect(read(name ?? '')).rejects.toMatchObject({
      code: 'FACE_INVALID',
      message: expect.stringContaining(why ?? ''),
    });
  }
});
