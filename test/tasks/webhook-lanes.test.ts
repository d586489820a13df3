import { describe, expect, it } from 'vitest';
import { type Waiting, WebhookLanes } from '../../src/tasks/webhook/webhook-lanes.ts';

const limits = { calls: 8, ofOwner: 4, ofLane: 2, slow: 2, waitingSlow: 1 };

const items = (owner: string, host: string, count: number): Waiting[] =>
  Array.from({ length: count }, (_, index) => ({ id: `${owner}/${host}/${index}`, owner, host }));

/** Begins with everything that has a place. */
function begin(lanes: WebhookLanes<Waiting>): Waiting[] {
  const begun: Waiting[] = [];
  for (let item = lanes.next(); item !== undefined; item = lanes.next()) begun.push(item);
  return begun;
}

describe('the lanes of webhooks', () => {
  it('take turns, few of a key and a host at a time', () => {
    const lanes = new WebhookLanes<Waiting>(limits);
    lanes.add([...items('a', 'x', 5), ...items('b', 'y', 1), ...items('a', 'z', 5), ...items('a', 'w', 5)]);
    expect(begin(lanes).map(({ id }) => id)).toEqual(['a/x/0', 'b/y/0', 'a/z/0', 'a/w/0', 'a/x/1']);
    expect(lanes.waiting).toBe(11);
  });

  it('give a place to what waits longest in its lane when one becomes free', () => {
    const lanes = new WebhookLanes<Waiting>(limits);
    lanes.add(items('', 'x', 4));
    const [first] = begin(lanes);
    if (first !== undefined) lanes.end(first, { wasSlow: false });
    expect(begin(lanes).map(({ id }) => id)).toEqual(['/x/2']);
  });

  it('let slow hosts come last, few in all, and wait few', () => {
    const lanes = new WebhookLanes<Waiting>(limits);
    lanes.add([...items('a', 'x', 9), ...items('b', 'y', 9)]);
    for (const item of begin(lanes)) lanes.markSlow(item);
    expect(lanes.waiting).toBe(2);
    lanes.add([...items('c', 'slow', 0), ...items('a', 'x', 9), ...items('c', 'z', 2)]);
    expect(begin(lanes).map(({ host }) => host)).toEqual(['z', 'z']);
  });

  it('are quick again when their host is', () => {
    const lanes = new WebhookLanes<Waiting>(limits);
    lanes.add(items('a', 'x', 3));
    const [first, second] = begin(lanes);
    if (first === undefined || second === undefined) throw new Error('nothing has begun');
    lanes.end(first, { wasSlow: true });
    lanes.end(second, { wasSlow: false });
    lanes.add(items('a', 'x', 9));
    expect(lanes.waiting).toBe(9);
    expect(begin(lanes)).toHaveLength(2);
  });

  it('know what waits and what is being called', () => {
    const lanes = new WebhookLanes<Waiting>(limits);
    lanes.add(items('a', 'x', 2));
    const begun = begin(lanes);
    lanes.add(items('a', 'x', 3));
    expect(lanes.waiting).toBe(1);
    expect(lanes.takeAll().map(({ id }) => id)).toEqual(['a/x/2']);
    for (const item of begun) lanes.end(item, { wasSlow: false });
    expect(lanes.waiting).toBe(0);
  });
});
