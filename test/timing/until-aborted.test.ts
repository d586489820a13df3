import { describe, expect, it } from 'vitest';
import { untilAborted } from '../../src/timing/until-aborted.ts';

const forever = new Promise<never>(() => {});

describe('waiting until a signal is aborted', () => {
  it('gives what the work gives, and throws what it throws', async () => {
    const { signal } = new AbortController();
    expect(await untilAborted(Promise.resolve(1), signal)).toBe(1);
    await expect(untilAborted(Promise.reject(new Error('work')), signal)).rejects.toThrow('work');
  });

  it('ends with the reason of the signal, also when that was aborted before', async () => {
    const abort = new AbortController();
    const waiting = untilAborted(forever, abort.signal);
    abort.abort(new Error('enough'));
    await expect(waiting).rejects.toThrow('enough');
    await expect(untilAborted(forever, abort.signal)).rejects.toThrow('enough');
  });
});
