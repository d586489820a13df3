import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { conventionalModelsDir } from '../../src/models/repository/models-dir.ts';
import { temporaryFolder } from '../helpers/folder.ts';

describe('conventionalModelsDir', () => {
  it('is the first folder that there is', async () => {
    await using folder = await temporaryFolder();
    const [missing = '', file = '', second = '', third = ''] = ['a', 'b', 'c', 'd'].map((name) =>
      join(folder.path, name),
    );
    await writeFile(file, '');
    await mkdir(second);
    await mkdir(third);
    expect(await conventionalModelsDir([missing, file, second, third])).toBe(second);
    expect(await conventionalModelsDir([missing, file])).toBe(file);
  });
});
