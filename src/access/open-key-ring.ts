import { readFile } from 'node:fs/promises';
import { AppError, toAppError } from '../errors.ts';
import type { Clock } from '../timing/clock.ts';
import { followFiles } from '../timing/follow-files.ts';
import { parseKeyFile } from './key-file.ts';
import { KeyRing } from './key-ring.ts';

export interface KeyRingOptions {
  /** Keys that may do everything. */
  readonly apiKeys: readonly string[];
  /** File that `inferd keys` writes. */
  readonly apiKeysFile: string | undefined;
}

export interface KeyRingDependencies {
  readonly clock: Pick<Clock, 'setTimer'>;
  readonly log: {
    info(message: string): void;
    warn(message: string): void;
    error(details: object, message: string): void;
  };
  /** Time between two looks at the file. @default 1000 */
  readonly intervalMs?: number;
}

/** Keys, and the end of the watch over their file. */
export interface OpenKeyRing {
  readonly keys: KeyRing;
  close(): void;
}

/** Shorter keys than this can be guessed. */
const leastKeyLength = 16;

/**
 * The keys that the settings name, kept up to date with their file; undefined if there are none, and every caller may do
 * everything. A file that becomes unreadable leaves the keys as they were.
 *
 * @throws AppError `SETTINGS_INVALID` if the file cannot be read
 */
export async function openKeyRing(
  { apiKeys, apiKeysFile: path }: KeyRingOptions,
  { clock, log, intervalMs = 1000 }: KeyRingDependencies,
): Promise<OpenKeyRing | undefined> {
  if (apiKeys.length === 0 && path === undefined) return undefined;
  if (apiKeys.some((key) => key.length < leastKeyLength)) {
    log.warn(`A key of API_KEYS is shorter than ${leastKeyLength} characters and may be guessed`);
  }
  const keys = new KeyRing(apiKeys, () => Date.now());
  if (path === undefined) return { keys, close: () => {} };

  const initial = await readFile(path).catch((cause: unknown) => {
    throw new AppError('SETTINGS_INVALID', { message: `API_KEYS_FILE: cannot read ${path}`, cause });
  });
  keys.replaceStored(parseKeyFile(path, initial.toString()));
  const close = followFiles({
    paths: [path],
    initial: [initial],
    clock,
    intervalMs,
    onChange: ([content]) => {
      keys.replaceStored(parseKeyFile(path, String(content)));
      log.info('API keys replaced by those of the changed file');
    },
    onProblem: (error) =>
      log.error({ err: toAppError(error) }, 'The key file cannot be used; the keys stay as they were'),
  });
  return { keys, close };
}
