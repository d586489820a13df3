import { readFileSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as delay } from 'node:timers/promises';
import { AppError } from '../../errors.ts';
import { reasonOf } from '../storage-error.ts';

/** A process that was killed has its lock taken away by the kernel, which may be a moment after its end was seen. */
const patienceMs = 5000;
const retryMs = 50;

/**
 * Locks a folder until this process ends, however it ends. SQLite does the locking, since Node.js itself has no locks of
 * files: the operating system holds it for a process, so that none is ever left behind, and it counts between containers.
 *
 * @param ownerPid process that operators know, for the message that the folder is locked
 * @throws AppError `STORAGE_UNAVAILABLE` that names the process and the folder
 */
export async function lockFolder(folder: string, ownerPid: number): Promise<DatabaseSync> {
  const deadlineMs = performance.now() + patienceMs;
  for (;;) {
    const lock = tryToLock(folder);
    if (lock !== undefined) {
      writeFileSync(ownerPath(folder), `process ${ownerPid} on ${hostname()} since ${new Date().toISOString()}\n`);
      return lock;
    }
    if (performance.now() > deadlineMs) throw inUse(folder);
    await delay(retryMs);
  }
}

function tryToLock(folder: string): DatabaseSync | undefined {
  const path = join(folder, 'lock');
  let lock: DatabaseSync | undefined;
  try {
    lock = new DatabaseSync(path, { timeout: 0 });
    lock.exec('BEGIN EXCLUSIVE');
    return lock;
  } catch (cause) {
    lock?.close();
    if (isBusy(cause)) return undefined;
    throw new Error(`${path} cannot be locked (${reasonOf(cause)})`, { cause });
  }
}

function isBusy(thrown: unknown): boolean {
  return thrown instanceof Error && 'errcode' in thrown && thrown.errcode === 5;
}

function inUse(folder: string): AppError {
  const message = `The folder ${folder} is in use by ${readOwner(folder)}; give each server its own DATA_DIR, or one Postgres by DATABASE_URL`;
  return new AppError('STORAGE_UNAVAILABLE', { message, received: folder });
}

function readOwner(folder: string): string {
  try {
    return readFileSync(ownerPath(folder), 'utf8').trim();
  } catch {
    return 'another process';
  }
}

function ownerPath(folder: string): string {
  return join(folder, 'owner');
}
