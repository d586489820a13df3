import { describe, expect, it } from 'vitest';
import { AppError, type ErrorCode } from '../../src/errors.ts';
import { isWorthRetrying, retryDelaySeconds, toTaskError } from '../../src/tasks/worker/retry.ts';

const error = (code: ErrorCode) => new AppError(code, { message: 'the reason' });

describe('a task that failed', () => {
  it.each<ErrorCode>(['RUNNER_DIED', 'QUEUE_FULL', 'MODEL_NOT_READY', 'DEADLINE_EXCEEDED', 'OUT_OF_MEMORY'])(
    'is tried again after %s',
    (code) => expect(isWorthRetrying(error(code))).toBe(true),
  );

  it.each<ErrorCode>(['VALIDATION_FAILED', 'SIGNATURE_MISMATCH', 'MODEL_NOT_FOUND', 'INTERNAL', 'PICTURE_TOO_LARGE'])(
    'is not tried again after %s',
    (code) => expect(isWorthRetrying(error(code))).toBe(false),
  );

  it('waits twice as long after each failure, half of it by chance, up to five minutes', () => {
    expect([1, 2, 3, 4].map((failures) => retryDelaySeconds(failures, 0))).toEqual([0.5, 1, 2, 4]);
    expect(retryDelaySeconds(4, 1)).toBe(8);
    expect(retryDelaySeconds(40, 1)).toBe(300);
  });

  it('tells nothing of the faults of the server', () => {
    expect(toTaskError(new Error('secret'))).toEqual({ code: 'INTERNAL', message: 'Internal error' });
    expect(toTaskError(error('MODEL_NOT_FOUND'))).toEqual({ code: 'MODEL_NOT_FOUND', message: 'the reason' });
  });
});
