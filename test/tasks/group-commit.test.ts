import { describe, expect, it } from 'vitest';
import { GroupCommit } from '../../src/tasks/repository/group-commit.ts';

const boundedBy = (maxItems: number, maxBytes = 100) => ({ maxItems, maxBytes, bytesOf: (item: number) => item });

describe('a group commit', () => {
  it('writes what comes together at once, and what comes meanwhile with the next', async () => {
    const groups: number[][] = [];
    let release = () => {};
    const commits = new GroupCommit<number, number>(async (items) => {
      groups.push([...items]);
      await new Promise<void>((resolve) => {
        release = resolve;
      });
      return items.map((item) => item * 2);
    }, boundedBy(3));
    const first = [commits.add(1), commits.add(2)];
    await expect.poll(() => groups).toEqual([[1, 2]]);
    const later = [3, 4, 5, 6].map((item) => commits.add(item));
    release();
    expect(await Promise.all(first)).toEqual([2, 4]);
    await expect.poll(() => groups.length).toBe(2);
    release();
    await expect.poll(() => groups.length).toBe(3);
    release();
    expect(await Promise.all(later)).toEqual([6, 8, 10, 12]);
    expect(groups).toEqual([[1, 2], [3, 4, 5], [6]]);
  });

  it('writes no more bytes at once than it may, but for a single item', async () => {
    const groups: number[][] = [];
    const commits = new GroupCommit<number, number>(
      async (items) => {
        groups.push([...items]);
        return items;
      },
      boundedBy(10, 100),
    );
    await Promise.all([60, 40, 1, 200, 99, 2].map((item) => commits.add(item)));
    expect(groups).toEqual([[60, 40], [1], [200], [99], [2]]);
  });

  it('fails everybody of a group that fails, and goes on', async () => {
    const commits = new GroupCommit<number, number>(async (items) => {
      if (items.includes(13)) throw new Error('unlucky');
      return items;
    }, boundedBy(10));
    const results = await Promise.allSettled([commits.add(1), commits.add(13)]);
    expect(results.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    expect(await commits.add(2)).toBe(2);
    await commits.idle();
  });
});
