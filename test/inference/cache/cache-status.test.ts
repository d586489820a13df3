import { describe, expect, it } from 'vitest';
import { type CacheReport, combineCacheReports } from '../../../src/inference/cache/cache-report.ts';
import { cacheStatus } from '../../../src/inference/cache/cache-status.ts';

const report = (changes: Partial<CacheReport>): CacheReport => ({
  units: 1,
  hits: 0,
  collapsed: 0,
  stored: 0,
  ...changes,
});

describe('Cache-Status', () => {
  it.each([
    [{ hits: 1, ttlMs: 241_900 }, 'inferd; hit; ttl=241'],
    [{ stored: 1 }, 'inferd; fwd=miss; stored'],
    [{}, 'inferd; fwd=miss'],
    [{ collapsed: 1 }, 'inferd; fwd=miss; collapsed'],
    [{ units: 2, collapsed: 1, stored: 1 }, 'inferd; fwd=miss; stored'],
    [{ units: 100, hits: 90, stored: 10, ttlMs: 1 }, 'inferd; fwd=partial; detail="90/100"'],
    [{ bypass: 'request', stored: 1 }, 'inferd; fwd=request; stored'],
    [{ bypass: 'request' }, 'inferd; fwd=request'],
    [{ bypass: 'configuration' }, 'inferd; fwd=bypass'],
  ] as const)('of %j is %s', (changes, status) => {
    expect(cacheStatus(report(changes))).toBe(status);
  });

  it('of a request of several runs is about all of them', () => {
    const runs = [report({ hits: 1, ttlMs: 9000 }), undefined, report({ units: 2, hits: 2, ttlMs: 5000 })];
    expect(cacheStatus(combineCacheReports(runs) ?? report({}))).toBe('inferd; hit; ttl=5');
    const partly = combineCacheReports([...runs, report({ stored: 1 })]);
    expect(cacheStatus(partly ?? report({}))).toBe('inferd; fwd=partial; detail="3/4"');
    expect(combineCacheReports([undefined, undefined])).toBeUndefined();
  });
});
