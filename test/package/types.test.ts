import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { temporaryFolder } from '../helpers/folder.ts';
import { projectDir } from '../helpers/process.ts';

const run = promisify(execFile);

/** The packages that a declaration file names, itself or by what it imports. */
async function packagesOf(file: string, seen = new Set<string>()): Promise<Set<string>> {
  const packages = new Set<string>();
  if (seen.has(file)) return packages;
  seen.add(file);
  const text = await readFile(file, 'utf8');
  for (const [, name = ''] of text.matchAll(/(?:\bfrom |\bimport\(|^import |^declare module )['"]([^'"]+)['"]/gm)) {
    const found = name.startsWith('.')
      ? await packagesOf(join(dirname(file), name.replace(/\.[jt]s$/, '.d.ts')), seen)
      : [name];
    for (const one of found) packages.add(one);
  }
  return packages;
}

it('names only packages in its public types that come along with types of their own', async () => {
  await using folder = await temporaryFolder();
  const tsc = join(projectDir, 'node_modules/.bin/tsc');
  await run(tsc, ['-p', 'tsconfig.build.json', '--emitDeclarationOnly', '--outDir', folder.path], { cwd: projectDir });
  expect([...(await packagesOf(join(folder.path, 'index.d.ts')))].sort()).toEqual(['fastify', 'zod']);
  expect([...(await packagesOf(join(folder.path, 'client/index.d.ts')))]).toEqual([]);
});
