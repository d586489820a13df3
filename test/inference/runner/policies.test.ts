import { PassThrough } from 'node:stream';
import { describe, expect, test } from 'vitest';
import { followNativeOutput } from '../../../src/inference/runner/native-output.ts';
import { hangAtMs } from '../../../src/inference/runner/pool/hang.ts';
import { RestartPolicy } from '../../../src/inference/runner/pool/restart-policy.ts';

const idle = { crashed: false, requests: 0 };

describe('RestartPolicy', () => {
  test('waits twice as long after every death of the last minute', () => {
    const policy = new RestartPolicy();
    expect([0, 1, 2, 3].map((atMs) => policy.recordDeath(atMs, idle))).toEqual([100, 200, 400, 800]);
    expect(policy.recordDeath(70_000, idle)).toBe(100);
  });

  test('gives up for a minute after five deaths in a minute', () => {
    const policy = new RestartPolicy();
    for (const atMs of [0, 10_000, 20_000, 30_000]) policy.recordDeath(atMs, idle);
    expect(policy.verdict(30_000)).toBeUndefined();
    expect(policy.recordDeath(59_000, idle)).toBe(60_000);
    expect(policy.verdict(59_000)).toBe('its runners died five times in a minute');
    expect(policy.verdict(119_000)).toBeUndefined();
  });

  test('five deaths spread over more than a minute are no reason to give up', () => {
    const policy = new RestartPolicy();
    for (const atMs of [0, 20_000, 40_000, 61_000, 80_001]) policy.recordDeath(atMs, idle);
    expect(policy.verdict(80_001)).toBeUndefined();
  });

  test('starts at once after a crash that a request is to blame for, and counts none', () => {
    const policy = new RestartPolicy();
    const delays = Array.from({ length: 19 }, (_, atMs) => policy.recordDeath(atMs, { crashed: true, requests: 1 }));
    expect(new Set(delays)).toEqual(new Set([0]));
    expect(policy.verdict(19)).toBeUndefined();
    expect(policy.recordDeath(20, idle)).toBe(100);
  });

  test('gives up for a minute when twenty inputs in a row crashed the model', () => {
    const policy = new RestartPolicy();
    const crash = (atMs: number) => policy.recordDeath(atMs, { crashed: true, requests: 1 });
    for (let atMs = 0; atMs < 19; atMs += 1) crash(atMs);
    policy.recordDeath(19, { crashed: true, requests: 8 });
    expect(policy.verdict(19)).toBeUndefined();
    expect(crash(20)).toBe(60_000);
    expect(policy.verdict(20)).toBe('its runners crashed on 20 inputs in a row');
    expect(policy.verdict(60_020)).toBeUndefined();
    // The next proves that nothing is better.
    expect(crash(60_100)).toBe(60_000);
  });

  test('an answer shows that the model is well', () => {
    const policy = new RestartPolicy();
    for (let atMs = 0; atMs < 100; atMs += 1) {
      expect(policy.recordDeath(atMs, { crashed: true, requests: 1 })).toBe(0);
      if (atMs % 10 === 0) policy.recordAnswer();
    }
  });
});

describe('a run is taken for a hang', () => {
  const request = { inputs: [], outputs: [], rows: 1, requests: 1 };

  test('not before a second, however short the deadline', () => {
    expect(hangAtMs(100, { ...request, latestDeadlineMs: 120, expectedMs: 5 }, 30_000)).toBe(1_100);
  });

  test('not before ten times the expected time', () => {
    expect(hangAtMs(100, { ...request, latestDeadlineMs: 120, expectedMs: 400 }, 30_000)).toBe(4_100);
  });

  test('not while somebody waits', () => {
    expect(hangAtMs(100, { ...request, latestDeadlineMs: 9_000, expectedMs: 5 }, 30_000)).toBe(9_000);
  });

  test('when it has taken as long as any request may', () => {
    expect(hangAtMs(100, { ...request, latestDeadlineMs: 90_000, expectedMs: 8_000 }, 30_000)).toBe(30_100);
  });
});

test('native output is handed on by lines, and no more than a log can bear', async () => {
  const stream = new PassThrough();
  const lines: string[] = [];
  followNativeOutput(
    stream,
    () => 0,
    (line) => lines.push(line),
  );
  stream.write('one\ntw');
  stream.write(`o\n${'x'.repeat(5_000)}\n`);
  for (let i = 0; i < 100; i += 1) stream.write(`line ${i}\n`);
  stream.end('rest');
  await new Promise((resolve) => stream.on('close', resolve));
  expect(lines.slice(0, 2)).toEqual(['one', 'two']);
  expect(lines[2]).toHaveLength(2_000);
  expect(lines).toHaveLength(20);
});
