import { type FileHandle, open, readFile, rename, rm } from 'node:fs/promises';
import { z } from 'zod';
import { AppError } from '../errors.ts';
import { scopes } from './scope.ts';

/** Says whose a key is; it is kept with what the key is used for, and shown in tables. */
export const keyNameSchema = z
  .string()
  .min(1)
  .max(100)
  .regex(/^[^\p{Cc}\p{Cs}]*$/u, 'Expected text without control characters and lone surrogates');

const keySchema = z.strictObject({
  id: z.string().regex(/^[0-9a-f]{8}$/),
  name: keyNameSchema,
  hash: z
    .string()
    .regex(/^sha256:[0-9a-f]{64}$/)
    .describe('SHA-256 of the whole key'),
  scopes: z.array(z.enum(scopes)),
  models: z.union([z.literal('all'), z.array(z.string())]).describe('Models that the key may use'),
  limits: z
    .strictObject({ ratePerMinute: z.int().min(1).optional(), concurrency: z.int().min(1).optional() })
    .prefault({}),
  created: z.iso.datetime(),
  expires: z.iso.datetime().optional(),
  revoked: z.iso.datetime().optional(),
});

const fileSchema = z.strictObject({ version: z.literal(1), keys: z.array(keySchema) });

/** A key as it stands in the file, without the key itself. */
export type StoredKey = z.output<typeof keySchema>;

/** Hash of the stored key, as bytes. */
export function hashOf({ hash }: StoredKey): Buffer {
  return Buffer.from(hash.slice('sha256:'.length), 'hex');
}

/**
 * Reads the text of a key file.
 *
 * @throws AppError `SETTINGS_INVALID`, naming every fault
 */
export function parseKeyFile(path: string, json: string): StoredKey[] {
  const result = fileSchema.safeParse(parseJson(path, json));
  if (result.success) return result.data.keys;
  const faults = result.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`);
  throw new AppError('SETTINGS_INVALID', { message: `The key file ${path} is invalid: ${faults.join('; ')}` });
}

/** @throws AppError `SETTINGS_INVALID` if the file cannot be read */
export async function readKeyFile(path: string): Promise<StoredKey[]> {
  const json = await readFile(path, 'utf8').catch((cause: unknown) => {
    throw new AppError('SETTINGS_INVALID', {
      message: `The key file ${path} cannot be read: ${reasonOf(cause)}`,
      cause,
    });
  });
  return parseKeyFile(path, json);
}

/**
 * Changes the file, or makes it, so that a reader sees the old one or the new one and nothing in between.
 * Only its owner may read it.
 *
 * @throws AppError `SETTINGS_INVALID` if it cannot be read or written, or another process is changing it
 */
export async function changeKeyFile(path: string, change: (keys: StoredKey[]) => StoredKey[]): Promise<void> {
  // The new file is also the lock: it can be made only once.
  const newPath = `${path}.new`;
  const file = await openNew(newPath);
  try {
    const keys = change(await readExisting(path));
    await file.writeFile(`${JSON.stringify({ version: 1, keys }, null, 2)}\n`);
    await file.sync();
    await file.close();
    await rename(newPath, path);
  } catch (error) {
    await file.close().catch(() => {});
    await rm(newPath, { force: true });
    throw error;
  }
}

async function openNew(path: string): Promise<FileHandle> {
  try {
    return await open(path, 'wx', 0o600);
  } catch (cause) {
    const hint = isFileError(cause, 'EEXIST') ? 'another process changes the keys; if none does, remove it' : undefined;
    throw new AppError('SETTINGS_INVALID', { message: `Cannot write ${path}: ${hint ?? reasonOf(cause)}`, cause });
  }
}

async function readExisting(path: string): Promise<StoredKey[]> {
  try {
    return await readKeyFile(path);
  } catch (error) {
    if (error instanceof AppError && isFileError(error.cause, 'ENOENT')) return [];
    throw error;
  }
}

function parseJson(path: string, json: string): unknown {
  try {
    return JSON.parse(json.replace(/^\uFEFF/, ''));
  } catch (cause) {
    throw new AppError('SETTINGS_INVALID', { message: `The key file ${path} is not valid JSON`, cause });
  }
}

function isFileError(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
