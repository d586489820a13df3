import { describe, expect, it } from 'vitest';
import { ClaimBackOff } from '../../src/tasks/worker/claim-back-off.ts';
import { VirtualClock } from '../virtual-clock.ts';

/** Looks at the end of the longest wait that it may choose. */
function newClaimBackOff() {
  const clock = new VirtualClock();
  const looks: number[] = [];
  const backOff = new ClaimBackOff({ clock, random: () => 1, look: () => void looks.push(clock.now()) });
  return { clock, backOff, looks };
}

describe('a worker that hears of tasks of others', () => {
  it('looks at once while it finds some', () => {
    const { backOff, looks } = newClaimBackOff();
    backOff.add(['a']);
    backOff.recordLook(true);
    backOff.add(['b']);
    expect(looks).toEqual([0, 0]);
  });

  it('waits longer with every time that it comes too late, up to 100 ms, until it finds some again', async () => {
    const { clock, backOff, looks } = newClaimBackOff();
    for (let misses = 1; misses <= 6; misses++) {
      backOff.recordLook(false);
      const startedMs = clock.now();
      backOff.add([`task ${misses}`]);
      await clock.advance(1000);
      looks.push((looks.pop() ?? Number.NaN) - startedMs);
    }
    expect(looks).toEqual([10, 20, 40, 80, 100, 100]);
    backOff.recordLook(true);
    backOff.add(['next']);
    expect(looks).toHaveLength(7);
  });

  it('looks once for all that it hears of while it waits', async () => {
    const { clock, backOff, looks } = newClaimBackOff();
    backOff.recordLook(false);
    backOff.add(['a', 'b']);
    await clock.advance(5);
    backOff.add(['c']);
    await clock.advance(1000);
    expect(looks).toEqual([10]);
  });

  it('does not look when others have begun with all of them meanwhile', async () => {
    const { clock, backOff, looks } = newClaimBackOff();
    backOff.recordLook(false);
    backOff.add(['a', 'b']);
    backOff.remove(['a', 'b', 'c']);
    await clock.advance(1000);
    expect(looks).toEqual([]);
    backOff.add(['d', 'e']);
    backOff.remove(['d']);
    await clock.advance(1000);
    expect(looks).toEqual([1010]);
  });

  it('does not look any more when it is closed', async () => {
    const { clock, backOff, looks } = newClaimBackOff();
    backOff.recordLook(false);
    backOff.add(['a']);
    backOff.close();
    await clock.advance(1000);
    expect(looks).toEqual([]);
  });
});
