/**
 * The program of the embedded database: PGlite in one folder, served to the main process through a Unix socket. It blocks
 * its thread during a query and takes hundreds of megabytes, so it has a process of its own. It ends with the main process.
 */
import { chmodSync, existsSync, mkdirSync, renameSync, rmSync, statfsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { PGlite } from '@electric-sql/pglite';
import { PGLiteSocketServer } from '@electric-sql/pglite-socket';
import { toAppError } from '../../errors.ts';
import { damageAdvice, reasonOf } from '../storage-error.ts';
import { lockFolder } from './folder-lock.ts';
import { makeDatabase } from './make-database.ts';
import type { DatabaseMessage } from './messages.ts';
import { cachedTemplate, unpackTemplate, writeTemplate } from './template.ts';

const [folder = '', socketPath = ''] = process.argv.slice(2);
const longestCloseMs = 5000;
/** Two segments of its log. */
const roomToOpenBytes = 32 * 1024 * 1024;

function tell(message: DatabaseMessage): Promise<void> {
  return new Promise((resolve) => {
    if (process.send === undefined) resolve();
    else process.send(message, () => resolve());
  });
}

/**
 * Makes the database beside its place, so that one that was never finished is not taken for one that is broken.
 *
 * @returns whether this process has made it, and has not taken a template
 */
async function make(dataDir: string): Promise<boolean> {
  const unfinished = `${dataDir}.new`;
  rmSync(unfinished, { recursive: true, force: true });
  if (unpackTemplate(unfinished)) {
    renameSync(unfinished, dataDir);
    return false;
  }
  try {
    await makeDatabase(unfinished);
  } catch (cause) {
    throw new Error(`no database can be made in ${dataDir} (${causeOf(cause)})`, { cause });
  }
  keepTemplate(unfinished);
  renameSync(unfinished, dataDir);
  return true;
}

function keepTemplate(dataDir: string): void {
  try {
    writeTemplate(dataDir, cachedTemplate());
  } catch {
    // Without a home, or room in it, the next new database takes as long as this one.
  }
}

async function open(dataDir: string): Promise<PGlite> {
  try {
    return await PGlite.create({ dataDir });
  } catch (cause) {
    const advice = isDiskFull() ? 'make room' : damageAdvice;
    throw new Error(`the database in ${dataDir} cannot be opened (${causeOf(cause)}); ${advice}`, { cause });
  }
}

/** PGlite itself does not say that it had no room. */
function causeOf(thrown: unknown): string {
  return isDiskFull() ? 'no room is left on the disk' : reasonOf(thrown);
}

/** A folder that was there before, such as one that was restored, may let other users read what is in it. */
function closeToOthers(path: string): void {
  try {
    chmodSync(path, 0o700);
  } catch {
    // It belongs to another user, who has decided that this one may use it.
  }
}

function isDiskFull(): boolean {
  const { bavail, bsize } = statfsSync(folder);
  return bavail * bsize < roomToOpenBytes;
}

async function serve(dataDir: string): Promise<void> {
  const db = await open(dataDir);
  // One connection alone: PGlite has one session, and what several would send ends up in each other's statements.
  const server = new PGLiteSocketServer({ db, path: socketPath, maxConnections: 1 });
  await server.start();
  close = async () => {
    await server.stop();
    await db.close();
  };
}

let close = async () => {};

// The main process disconnects when it wants an end, and is disconnected when it has come to its own.
process.once('disconnect', () => {
  setTimeout(() => process.exit(1), longestCloseMs).unref();
  close()
    .catch(() => {})
    .finally(() => {
      rmSync(dirname(socketPath), { recursive: true, force: true });
      process.exit(0);
    });
});

try {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  closeToOthers(folder);
  const lock = await lockFolder(folder, process.ppid);
  // What is collected as garbage locks nothing.
  process.once('exit', () => lock.close());
  const dataDir = join(folder, 'postgres');
  if (!existsSync(dataDir) && (await make(dataDir))) {
    await tell({ kind: 'made' });
    // Making takes more than twice the memory of serving, and a process does not give it back.
    process.exit(0);
  }
  await serve(dataDir);
  process.on('message', () => void tell({ kind: 'alive' }));
  await tell({ kind: 'listening' });
} catch (thrown) {
  await tell({ kind: 'failed', message: toAppError(thrown).message });
  process.exit(1);
}
