import { createHash } from 'node:crypto';
import {
  closeSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { findPackageJSON } from 'node:module';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gunzipSync, gzipSync } from 'node:zlib';

/**
 * A template is the files of a database that is new and empty, in one file: writing them anew takes a tenth of the time that
 * making a database takes. Most of such a database is zeros, or there three times, so that the template has of each content
 * one copy, without the zeros at its end: a first line of JSON, {@link Index}, then the contents, all packed by gzip, whose
 * checksum tells a template that is not whole.
 */
interface Index {
  readonly folders: readonly string[];
  readonly files: readonly {
    readonly path: string;
    /** Where its content is, in bytes after the first line. */
    readonly start: number;
    readonly end: number;
    /** With the zeros at its end. */
    readonly sizeBytes: number;
  }[];
}

/** The name has the version of PGlite, since another one may keep its files in another way. */
function templateName(): string {
  const path = findPackageJSON('@electric-sql/pglite', import.meta.url);
  const { version } = JSON.parse(path === undefined ? '{}' : readFileSync(path, 'utf8')) as { version?: string };
  return `database-template-${version ?? 'unknown'}.gz`;
}

/** The template that is built with the package, beside this file. */
export function packagedTemplate(): string {
  return fileURLToPath(new URL(`./${templateName()}`, import.meta.url));
}

/** The template that the first database of this user on this machine leaves for the next ones. */
export function cachedTemplate(): string {
  return join(homedir(), '.cache', 'inferd', templateName());
}

/**
 * Writes the files of a template into a folder that is not there yet.
 *
 * @param paths of templates, the first of which that is whole is taken. @default that of the package, then that of the user
 * @returns whether there was a template that is whole; else nothing is left
 */
export function unpackTemplate(folder: string, paths = [packagedTemplate(), cachedTemplate()]): boolean {
  return paths.some((path) => unpack(path, folder));
}

function unpack(path: string, folder: string): boolean {
  try {
    const template = gunzipSync(readFileSync(path));
    const indexBytes = template.indexOf('\n') + 1;
    const index = JSON.parse(template.toString('utf8', 0, indexBytes)) as Index;
    const contents = template.subarray(indexBytes);
    for (const name of ['', ...index.folders]) mkdirSync(join(folder, name), { mode: 0o700 });
    for (const file of index.files) {
      writeFile(join(folder, file.path), contents.subarray(file.start, file.end), file.sizeBytes);
    }
    return true;
  } catch {
    // A database can be made without a template.
    rmSync(folder, { recursive: true, force: true });
    return false;
  }
}

function writeFile(path: string, content: Buffer, sizeBytes: number): void {
  const file = openSync(path, 'wx', 0o600);
  try {
    if (content.length > 0) writeSync(file, content);
    if (sizeBytes > content.length) ftruncateSync(file, sizeBytes);
  } finally {
    closeSync(file);
  }
}

/**
 * Writes a template of a new database, which no process has open. It appears under its name when it is whole.
 *
 * @throws what the file system throws
 */
export function writeTemplate(databaseDir: string, path: string): void {
  const template = gzipSync(pack(databaseDir), { level: 1 });
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  const unfinished = `${path}.${process.pid}.new`;
  try {
    writeFileSync(unfinished, template);
    renameSync(unfinished, path);
  } finally {
    rmSync(unfinished, { force: true });
  }
}

function pack(databaseDir: string): Buffer {
  const folders: string[] = [];
  const files: Index['files'][number][] = [];
  const contents: Buffer[] = [];
  const startOf = new Map<string, number>();
  let nextStart = 0;
  for (const path of readdirSync(databaseDir, { recursive: true, encoding: 'utf8' }).sort()) {
    if (statSync(join(databaseDir, path)).isDirectory()) {
      folders.push(path);
      continue;
    }
    const whole = readFileSync(join(databaseDir, path));
    const content = withoutLastZeros(whole);
    const hash = createHash('sha256').update(content).digest('hex');
    const start = startOf.get(hash) ?? nextStart;
    if (start === nextStart) {
      startOf.set(hash, start);
      contents.push(content);
      nextStart += content.length;
    }
    files.push({ path, start, end: start + content.length, sizeBytes: whole.length });
  }
  const index: Index = { folders, files };
  return Buffer.concat([Buffer.from(`${JSON.stringify(index)}\n`), ...contents]);
}

function withoutLastZeros(bytes: Buffer): Buffer {
  return bytes.subarray(0, bytes.findLastIndex((byte) => byte !== 0) + 1);
}
