import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { cachedTemplate, unpackTemplate, writeTemplate } from '../../src/storage/embedded/template.ts';
import { openStorage } from '../helpers/database.ts';
import { temporaryFolder } from '../helpers/folder.ts';

afterEach(() => void vi.unstubAllEnvs());

const page = randomBytes(8192);

/** Of two files with one content, one with zeros at its end, one of zeros alone, and one that is empty. */
const contents: Readonly<Record<string, Buffer>> = {
  PG_VERSION: Buffer.from('18\n'),
  'global/pg_control': page,
  'global/1': page,
  'global/2': Buffer.concat([page, Buffer.alloc(8192)]),
  'pg_wal/0': Buffer.alloc(100_000),
  'global/3': Buffer.alloc(0),
};

/** A home without a template; the files of a database, and where they are unpacked. */
async function temporaryHome() {
  const folder = await temporaryFolder();
  vi.stubEnv('HOME', join(folder.path, 'home'));
  const files = join(folder.path, 'files');
  await mkdir(join(files, 'global'), { recursive: true });
  await mkdir(join(files, 'pg_wal'));
  for (const [path, content] of Object.entries(contents)) await writeFile(join(files, path), content);
  return { files, target: join(folder.path, 'target'), [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose]() };
}

/** Makes a new embedded database, and gives what tells it from every other that was made. */
async function makeDatabase(): Promise<string> {
  await using folder = await temporaryFolder();
  const storage = openStorage({ databaseUrl: undefined, dataDir: folder.path });
  try {
    await storage.whenReady();
    const { rows } = await storage.use(({ pool }) => pool.query('SELECT system_identifier FROM pg_control_system()'));
    return String(rows[0]?.system_identifier);
  } finally {
    await storage.close();
  }
}

describe('the template of the embedded database', () => {
  it('is left by the first database of a user, and the next one is a copy of it', async () => {
    await using _home = await temporaryHome();
    const first = await makeDatabase();
    expect(await makeDatabase()).toBe(first);
  });

  it('gives every file as it was', async () => {
    await using home = await temporaryHome();
    writeTemplate(home.files, cachedTemplate());
    expect(unpackTemplate(home.target)).toBe(true);
    expect((await readdir(home.target, { recursive: true })).sort()).toEqual(
      (await readdir(home.files, { recursive: true })).sort(),
    );
    for (const [path, content] of Object.entries(contents)) {
      expect(content.equals(await readFile(join(home.target, path))), path).toBe(true);
    }
  });

  it('is none when there is no file, and nothing is left of one that is broken', async () => {
    await using home = await temporaryHome();
    expect(unpackTemplate(home.target)).toBe(false);
    writeTemplate(home.files, cachedTemplate());
    await truncate(cachedTemplate(), 5000);
    expect(unpackTemplate(home.target)).toBe(false);
    expect(existsSync(home.target)).toBe(false);
  });

  it('does not appear when it cannot be written to its end', async () => {
    await using home = await temporaryHome();
    const path = join(home.files, 'global', 'folder');
    await mkdir(path);
    expect(() => writeTemplate(home.files, path)).toThrow();
    expect((await readdir(join(home.files, 'global'))).sort()).toEqual(['1', '2', '3', 'folder', 'pg_control']);
  });
});
