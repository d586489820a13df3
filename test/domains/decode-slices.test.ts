import { setImmediate } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { defineDomain } from '../../src/domains/define-domain.ts';
import { decodeRuns } from '../../src/domains/typed-request.ts';
import { float32, type Tensors } from '../../src/tensor/tensor.ts';

/** Gives the first number of each row, and counts how often it is asked. */
function counting() {
  const sizes: number[] = [];
  const domain = defineDomain({
    name: 'counting',
    model: 'counting',
    summary: 'Counts.',
    input: z.number(),
    output: z.number(),
    examples: [0],
    encode: () => ({}),
    decode: ({ y }, instances) => {
      sizes.push(instances.length);
      const width = (y?.data.length ?? 0) / instances.length;
      return instances.map((instance, row) => [instance, Number(y?.data[row * width])] as unknown as number);
    },
  });
  return { domain, sizes };
}

const model = {} as never;
/** A row for each of the numbers, which begins with it. */
const rowsOf = (numbers: readonly number[], width: number): Tensors => ({
  y: float32(
    [numbers.length, width],
    numbers.flatMap((number) => [number, ...new Array<number>(width - 1).fill(0)]),
  ),
});

describe('the results of groups', () => {
  it('come in the order of the instances, however the groups are decoded', async () => {
    const { domain, sizes } = counting();
    const groups = [Array.from({ length: 64 }, (_, index) => index * 2), [1, 3, 5]];
    const runs = groups.map((group) => rowsOf(group, 8192));
    const instances = Array.from({ length: 127 }, (_, index) => index);
    const results = await decodeRuns(domain, { runs, groups, model, outputs: {} }, instances);
    for (const index of [...groups.flat()]) expect(results[index]).toEqual([index, index]);
    // 131,072 numbers are 16 rows.
    expect(sizes).toEqual([16, 16, 16, 16, 3]);
  });

  it('let others go on between slices of many rows', async () => {
    const { domain } = counting();
    const group = Array.from({ length: 200 }, (_, index) => index);
    const slow = {
      ...domain,
      decode: (...[outputs, instances, served]: Parameters<typeof domain.decode>) => {
        const until = performance.now() + 2;
        while (performance.now() < until);
        return domain.decode(outputs, instances, served);
      },
    };
    let turns = 0;
    let isDone = false;
    const count = async () => {
      while (!isDone) {
        await setImmediate();
        turns += 1;
      }
    };
    const counted = count();
    await decodeRuns(slow, { runs: [rowsOf(group, 8192)], groups: [group], model, outputs: {} }, group);
    isDone = true;
    await counted;
    expect(turns).toBeGreaterThan(2);
  });

  it('are decoded at once where outputs are small, or have no row for each', async () => {
    const { domain, sizes } = counting();
    const group = [0, 1, 2];
    await decodeRuns(domain, { runs: [rowsOf(group, 4)], groups: [group], model, outputs: {} }, group);
    const odd = { ...rowsOf(group, 2 ** 17), whole: float32([1], [1]) };
    await decodeRuns(domain, { runs: [odd], groups: [group], model, outputs: {} }, group);
    expect(sizes).toEqual([3, 3]);
  });
});
