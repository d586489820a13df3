import { expect } from 'vitest';
import { AppError } from '../../src/errors.ts';

/** The error that the call throws, which has to be an AppError. */
export function refusal(call: () => unknown): AppError {
  try {
    call();
  } catch (error) {
    if (error instanceof AppError) return error;
    throw error;
  }
  return expect.fail('nothing was thrown');
}
