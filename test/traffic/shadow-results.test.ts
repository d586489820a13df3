import { describe, expect, test } from 'vitest';
import type { StoredPrediction } from '../../src/predictions/stored-prediction.ts';
import { type ComparisonRules, ShadowTally } from '../../src/traffic/shadow-results.ts';
import { valuesAgree } from '../../src/traffic/values-agree.ts';

function stored(instance: number, outputs: unknown, change: Partial<StoredPrediction> = {}): StoredPrediction {
  return {
    id: '01a22425-c4ee-7d3a-8e87-063fda406074',
    instance,
    at: new Date(0),
    request_id: 'r',
    model: 'net',
    version: '1',
    domain: null,
    key_id: null,
    key_name: null,
    status: 'OK',
    total_ms: null,
    encode_ms: null,
    queue_ms: null,
    batch_ms: null,
    infer_ms: null,
    batch_rows: null,
    options: null,
    steps: null,
    role: null,
    of_id: null,
    of_instance: null,
    inputs: null,
    outputs: JSON.stringify(outputs),
    feedback: [],
    ...change,
  };
}

const rules: ComparisonRules = {
  task: 'classification',
  tolerance: 0.001,
  targetOf: () => 'label',
  classNamesOf: () => ['no', 'yes'],
};

describe('the report of a shadow', () => {
  test('is what a hand computes of ten pairs', () => {
    // Answer, answer of the shadow, label; both times are the number of the pair, and the shadow takes 100 ms more.
    const pairs = [
      [0, 0, 'no'],
      [1, 1, 'yes'],
      [1, 1, 'no'],
      [0, 1, 'no'],
      [0, 1, 0],
      [0, 1, '0'],
      [1, 0, 'no'],
      [1, 0, undefined],
      [0, 0, undefined],
    ] as const;
    const tally = new ShadowTally(rules);
    for (const [at, [answer, other, label]] of pairs.entries()) {
      const feedback = label === undefined ? [] : [{ at: 'now', label }];
      tally.add({
        primary: stored(at, { label: answer, p: 0.5 }, { total_ms: at + 3, encode_ms: 2, feedback }),
        shadow: stored(at, { label: other, p: 0.1 }, { total_ms: at + 101, encode_ms: 0, version: '2' }),
      });
    }
    tally.add({ primary: stored(9, { label: 1 }), shadow: stored(9, null, { status: 'RUNNER_DIED' }) });
    const { disagreements, ...report } = tally.report();
    expect(report).toEqual({
      failed: 1,
      agreement: { n: 9, agree: 4, share: 4 / 9, low: expect.closeTo(0.1888, 4), high: expect.closeTo(0.7333, 4) },
      latency_ms: { primary: { p50: 5, p95: 9, p99: 9 }, shadow: { p50: 105, p95: 109, p99: 109 } },
      // 3 and 1 of 4: p = 2 · (1 + 4) / 16.
      judged: { n: 7, both_right: 2, b: 3, c: 1, p: expect.closeTo(0.625, 12) },
    });
    expect(disagreements.map(({ id, primary, shadow }) => [id.split('.')[1], primary, shadow])).toEqual([
      ['3', 0, 1],
      ['4', 0, 1],
      ['5', 0, 1],
      ['6', 1, 0],
      ['7', 1, 0],
    ]);
  });

  test('has the newest 20 disagreements, and leaves out what was not kept', () => {
    const tally = new ShadowTally(rules);
    for (let at = 0; at < 30; at += 1)
      tally.add({ primary: stored(at, { label: 0 }), shadow: stored(at, { label: 1 }) });
    tally.add({ primary: stored(30, { label: '[redacted]' }), shadow: stored(30, { label: '[redacted]' }) });
    tally.add({ primary: stored(31, { omitted: { bytes: 9 } }), shadow: stored(31, { omitted: { bytes: 9 } }) });
    tally.add({ primary: stored(32, null), shadow: stored(32, null) });
    const { agreement, disagreements, judged } = tally.report();
    expect(agreement).toMatchObject({ n: 30, agree: 0 });
    expect(disagreements).toHaveLength(20);
    expect(judged.p).toBeNull();
  });

  test('of a regression counts as right what is within the tolerance of the label', () => {
    const tally = new ShadowTally({ ...rules, task: 'regression', targetOf: () => 'y', tolerance: 0.01 });
    const feedback = [{ at: 'now', label: 200 }];
    tally.add({ primary: stored(0, { y: [201.5] }, { feedback }), shadow: stored(0, { y: [203.5] }) });
    expect(tally.report()).toMatchObject({ agreement: { agree: 1 }, judged: { n: 1, b: 1, c: 0, p: 1 } });
  });
});

test.each([
  [1000, 1001, false],
  [1000.5, 1001, true],
  [1000.5, 1002, false],
  [0.0001, 0.0009, true],
  ['NaN', 'NaN', true],
  ['NaN', 0.5, false],
  [[0.1, 0.2], [0.1001, 0.2], true],
  [[0.1], [0.1, 0.2], false],
  [{ a: 1 }, { a: 1, b: 2 }, false],
  [{ a: 1 }, { b: 1 }, false],
  [[], {}, false],
  [null, 0, false],
  [2n ** 60n, 2n ** 60n, true],
])('kept answers agree: case %#', (a, b, agree) => {
  expect(valuesAgree(a, b, 0.001)).toBe(agree);
});
