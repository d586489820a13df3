import { describe, expect, it } from 'vitest';
import { AppError, relocateFaults, withoutFolders } from '../../../src/errors.ts';
import { problemBody, problemSchema } from '../../../src/http/answer/problem.ts';

const request = { id: 'r1', path: '/fraud/predict' };

describe('the problem of a graph', () => {
  const error = new AppError('QUEUE_FULL', { message: 'steps.small: full', step: 'small.inner' });

  it('names the step that failed', () => {
    expect(problemSchema.parse(problemBody(error, request))).toMatchObject({ code: 'QUEUE_FULL', step: 'small.inner' });
  });

  it('names it also when the error is told elsewhere', () => {
    expect(relocateFaults(error, (location) => location).step).toBe('small.inner');
    expect(withoutFolders(error).step).toBe('small.inner');
  });

  it('of another model names none', () => {
    expect(problemBody(new AppError('QUEUE_FULL', { message: 'full' }), request)).not.toHaveProperty('step');
  });
});
