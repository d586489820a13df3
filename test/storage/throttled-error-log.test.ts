import { describe, expect, it } from 'vitest';
import { AppError } from '../../src/errors.ts';
import type { StorageState } from '../../src/storage/storage.ts';
import { createThrottledErrorLog } from '../../src/storage/throttled-error-log.ts';

const away = new AppError('STORAGE_UNAVAILABLE', { message: 'The storage cannot be used' });

function newLog(state: StorageState) {
  const logged: unknown[] = [];
  const log = { warn: (details: object, message: string) => void logged.push({ ...details, message }) };
  return { logged, logError: createThrottledErrorLog({ storage: { state }, log }) };
}

describe('the log of what is done again and again', () => {
  it.each(['starting', 'unavailable', 'closed'] as const)('has nothing of a storage that is %s', (state) => {
    const { logged, logError } = newLog(state);
    logError(away, 'Nothing can be done');
    expect(logged).toEqual([]);
  });

  it('has what a storage that is ready says, which has not told of it', () => {
    const { logged, logError } = newLog('ready');
    logError(away, 'Nothing can be done');
    expect(logged).toEqual([{ err: away, message: 'Nothing can be done' }]);
  });

  it('has every other trouble, as often as it is there', () => {
    const { logged, logError } = newLog('unavailable');
    const full = new AppError('STORAGE_FULL', { message: 'The storage has no room left' });
    logError(full, 'Nothing can be done');
    logError(full, 'Nothing can be done');
    logError(new Error('a fault'), 'Nothing can be done');
    const fault = expect.objectContaining({ code: 'INTERNAL', message: 'a fault' });
    expect(logged).toMatchObject([{ err: full }, { err: full }, { err: fault }]);
  });
});
