import { describe, expect, test } from 'vitest';
import { releaseMemory } from '../../../src/http/body/release-memory.ts';

describe('releaseMemory', () => {
  test('empties a large buffer', () => {
    const bytes = Buffer.allocUnsafeSlow(600_000).subarray(5);
    releaseMemory(bytes);
    expect(bytes.byteLength).toBe(0);
  });

  test('leaves a small buffer alone', () => {
    const bytes = Buffer.allocUnsafeSlow(100);
    releaseMemory(bytes);
    expect(bytes.byteLength).toBe(100);
  });

  test('leaves memory alone that others share', () => {
    const shared = Buffer.allocUnsafeSlow(600_000);
    releaseMemory(shared.subarray(0, 300_000));
    expect(shared.byteLength).toBe(600_000);
  });
});
