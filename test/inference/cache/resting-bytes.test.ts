import { describe, expect, it } from 'vitest';
import { RestingBytes } from '../../../src/inference/cache/shared/resting-bytes.ts';
import type { SharedBytes } from '../../../src/inference/cache/shared/shared-bytes.ts';
import { VirtualClock } from '../../virtual-clock.ts';

/** Values that are got at once, with an error, or never. */
function setUp() {
  const clock = new VirtualClock();
  const state: { mode: 'well' | 'failing' | 'silent'; gets: number; writes: PromiseWithResolvers<void>[] } = {
    mode: 'well',
    gets: 0,
    writes: [],
  };
  const changes: boolean[] = [];
  const bytes: SharedBytes = {
    get: (keys) => {
      state.gets += 1;
      if (state.mode === 'failing') return Promise.reject(new Error('away'));
      return state.mode === 'silent' ? new Promise(() => {}) : Promise.resolve(keys.map(() => undefined));
    },
    set: () => {
      const write = Promise.withResolvers<void>();
      state.writes.push(write);
      return write.promise;
    },
    clear: async () => 0,
  };
  const resting = new RestingBytes({ bytes, clock, timeoutMs: 20, onChange: (isWell) => changes.push(isWell) });
  const get = async (mostMs = 1000) => (await resting.get(['a'], mostMs)).kind;
  return { clock, state, changes, resting, get };
}

describe('values that are kept elsewhere', () => {
  it('are waited for no longer than the time-out, and than the request has time', async () => {
    const { clock, state, get } = setUp();
    state.mode = 'silent';
    const ends: string[] = [];
    void get().then((kind) => ends.push(`usual ${kind} at ${clock.now()}`));
    void get(5).then((kind) => ends.push(`short ${kind} at ${clock.now()}`));
    await clock.advance(100);
    expect(ends).toEqual(['short failed at 5', 'usual failed at 20']);
  });

  it('rest after three failures in a row, for twice as long each time, up to 30 s', async () => {
    const { clock, state, changes, get } = setUp();
    state.mode = 'failing';
    expect([await get(), await get(), await get(), await get()]).toEqual(['failed', 'failed', 'failed', 'resting']);
    for (const seconds of [1, 2, 4, 8, 16, 30, 30]) {
      await clock.advance(1000 * seconds - 1);
      expect(await get()).toBe('resting');
      await clock.advance(1);
      expect([await get(), await get()]).toEqual(['failed', 'resting']);
    }
    expect(changes).toEqual([false]);
    state.mode = 'well';
    await clock.advance(30_000);
    expect([await get(), await get()]).toEqual(['answered', 'answered']);
    expect(changes).toEqual([false, true]);
    state.mode = 'failing';
    expect([await get(), await get()]).toEqual(['failed', 'failed']);
    state.mode = 'well';
    expect([await get(), await get()]).toEqual(['answered', 'answered']);
  });

  it('are tried by one request alone after a rest', async () => {
    const { clock, state, get } = setUp();
    state.mode = 'silent';
    const first = [get(), get(), get()];
    await clock.advance(20);
    expect(await Promise.all(first)).toEqual(['failed', 'failed', 'failed']);
    await clock.advance(1000);
    const before = state.gets;
    const second = [get(), get(), get()];
    await clock.advance(20);
    expect(await Promise.all(second)).toEqual(['failed', 'resting', 'resting']);
    expect(state.gets).toBe(before + 1);
  });

  it('do not rest for requests that have less time than the time-out', async () => {
    const { clock, state, get } = setUp();
    state.mode = 'silent';
    const hasty = Array.from({ length: 10 }, () => get(1));
    await clock.advance(1);
    expect(new Set(await Promise.all(hasty))).toEqual(new Set(['failed']));
    state.mode = 'well';
    expect(await get()).toBe('answered');
  });

  it('wait to be written up to a mebibyte, and are given up beyond it', async () => {
    const { clock, state, resting } = setUp();
    const failures: number[] = [];
    const set = (bytes: number) => resting.set('', new Uint8Array(bytes), 1000, () => failures.push(bytes));
    expect([set(600_000), set(600_000), set(400_000)]).toEqual([true, false, true]);
    state.writes[0]?.reject(new Error('full'));
    await clock.advance(0);
    expect(failures).toEqual([600_000]);
    expect(set(600_000)).toBe(true);
  });
});
