import { describe, expect, it } from 'vitest';
import { HeardTasks } from '../../src/tasks/heard-tasks.ts';
import { VirtualClock } from '../virtual-clock.ts';

/** Looks at the end of the longest wait that it may choose. */
function newHeardTasks() {
  const clock = new VirtualClock();
  const looks: number[] = [];
  const heard = new HeardTasks({ clock, random: () => 1, look: () => void looks.push(clock.now()) });
  return { clock, heard, looks };
}

describe('a worker that hears of tasks of others', () => {
  it('looks at once while it finds some', () => {
    const { heard, looks } = newHeardTasks();
    heard.add(['a']);
    heard.recordLook(true);
    heard.add(['b']);
    expect(looks).toEqual([0, 0]);
  });

  it('waits longer with every time that it comes too late, up to 100 ms, until it finds some again', async () => {
    const { clock, heard, looks } = newHeardTasks();
    for (let misses = 1; misses <= 6; misses++) {
      heard.recordLook(false);
      const startedMs = clock.now();
      heard.add([`task ${misses}`]);
      await clock.advance(1000);
      looks.push((looks.pop() ?? Number.NaN) - startedMs);
    }
    expect(looks).toEqual([10, 20, 40, 80, 100, 100]);
    heard.recordLook(true);
    heard.add(['next']);
    expect(looks).toHaveLength(7);
  });

  it('looks once for all that it hears of while it waits', async () => {
    const { clock, heard, looks } = newHeardTasks();
    heard.recordLook(false);
    heard.add(['a', 'b']);
    await clock.advance(5);
    heard.add(['c']);
    await clock.advance(1000);
    expect(looks).toEqual([10]);
  });

  it('does not look when others have begun with all of them meanwhile', async () => {
    const { clock, heard, looks } = newHeardTasks();
    heard.recordLook(false);
    heard.add(['a', 'b']);
    heard.remove(['a', 'b', 'c']);
    await clock.advance(1000);
    expect(looks).toEqual([]);
    heard.add(['d', 'e']);
    heard.remove(['d']);
    await clock.advance(1000);
    expect(looks).toEqual([1010]);
  });

  it('does not look any more when it is closed', async () => {
    const { clock, heard, looks } = newHeardTasks();
    heard.recordLook(false);
    heard.add(['a']);
    heard.close();
    await clock.advance(1000);
    expect(looks).toEqual([]);
  });
});
