import { randomBytes } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { copyFile } from '../../src/models/files/copy-file.ts';
import { temporaryFolder } from '../helpers/folder.ts';

describe('a copy of a file', () => {
  it.each([0, 1, 9 * 2 ** 20])('has the same %i bytes', async (size) => {
    await using folder = await temporaryFolder();
    const content = randomBytes(size);
    await writeFile(join(folder.path, 'a'), content);
    await copyFile(join(folder.path, 'a'), join(folder.path, 'b'));
    expect(content.equals(await readFile(join(folder.path, 'b')))).toBe(true);
  });

  it('fails for a file that is not there', async () => {
    await using folder = await temporaryFolder();
    await expect(copyFile(join(folder.path, 'a'), join(folder.path, 'b'))).rejects.toThrow('ENOENT');
  });
});
