import { describe, expect, it } from 'vitest';
import { InFlightSlots, type Waiting } from '../../src/tasks/webhook/in-flight-slots.ts';

const limits = { calls: 8, ofOwner: 4, ofHost: 2, slow: 2, waitingSlow: 1 };

const items = (owner: string, host: string, count: number): Waiting[] =>
  Array.from({ length: count }, (_, index) => ({ id: `${owner}/${host}/${index}`, owner, host }));

/** Begins with everything that has a place. */
function begin(slots: InFlightSlots<Waiting>): Waiting[] {
  const begun: Waiting[] = [];
  for (let item = slots.next(); item !== undefined; item = slots.next()) begun.push(item);
  return begun;
}

describe('the slots of webhooks', () => {
  it('take turns, few of a key and a host at a time', () => {
    const slots = new InFlightSlots<Waiting>(limits);
    slots.add([...items('a', 'x', 5), ...items('b', 'y', 1), ...items('a', 'z', 5), ...items('a', 'w', 5)]);
    expect(begin(slots).map(({ id }) => id)).toEqual(['a/x/0', 'b/y/0', 'a/z/0', 'a/w/0', 'a/x/1']);
    expect(slots.waiting).toBe(11);
  });

  it('give a place to what waits longest in its lane when one becomes free', () => {
    const slots = new InFlightSlots<Waiting>(limits);
    slots.add(items('', 'x', 4));
    const [first] = begin(slots);
    if (first !== undefined) slots.end(first, { wasSlow: false });
    expect(begin(slots).map(({ id }) => id)).toEqual(['/x/2']);
  });

  it('let slow hosts come last, few in all, and wait few', () => {
    const slots = new InFlightSlots<Waiting>(limits);
    slots.add([...items('a', 'x', 9), ...items('b', 'y', 9)]);
    for (const item of begin(slots)) slots.markSlow(item);
    expect(slots.waiting).toBe(2);
    slots.add([...items('c', 'slow', 0), ...items('a', 'x', 9), ...items('c', 'z', 2)]);
    expect(begin(slots).map(({ host }) => host)).toEqual(['z', 'z']);
  });

  it('are quick again when their host is', () => {
    const slots = new InFlightSlots<Waiting>(limits);
    slots.add(items('a', 'x', 3));
    const [first, second] = begin(slots);
    if (first === undefined || second === undefined) throw new Error('nothing has begun');
    slots.end(first, { wasSlow: true });
    slots.end(second, { wasSlow: false });
    slots.add(items('a', 'x', 9));
    expect(slots.waiting).toBe(9);
    expect(begin(slots)).toHaveLength(2);
  });

  it('know what waits and what is being called', () => {
    const slots = new InFlightSlots<Waiting>(limits);
    slots.add(items('a', 'x', 2));
    const begun = begin(slots);
    slots.add(items('a', 'x', 3));
    expect(slots.waiting).toBe(1);
    expect(slots.takeAll().map(({ id }) => id)).toEqual(['a/x/2']);
    for (const item of begun) slots.end(item, { wasSlow: false });
    expect(slots.waiting).toBe(0);
  });
});
