import { describe, expect, it } from 'vitest';
import { parseMoment, parseWindow } from '../../src/predictions/time-window.ts';

const nowMs = Date.parse('2026-11-21T08:00:00Z');

describe('a moment', () => {
  it.each([
    ['24h', nowMs - 86_400_000],
    ['0s', nowMs],
    ['2026-11-21', Date.parse('2026-11-21')],
    ['2024-02-29T12:30:00Z', Date.parse('2024-02-29T12:30:00Z')],
    ['2026-02-28T23:59:59.999-11:00', Date.parse('2026-03-01T10:59:59.999Z')],
  ])('is %s', (text, timeMs) => {
    expect(parseMoment(text, nowMs)).toBe(timeMs);
  });

  it.each([
    '2026-02-30',
    '2026-02-30T00:00:00Z',
    '2025-02-29',
    '2026-04-31',
    '2026-13-01',
    '2026-00-10',
    '2026-01-32',
    'soon',
    '',
  ])('is not %s', (text) => {
    expect(parseMoment(text, nowMs)).toBeUndefined();
    expect(parseWindow(`${text}/2026-11-20`, nowMs)).toBeUndefined();
  });
});
