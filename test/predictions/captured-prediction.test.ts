import { describe, expect, it } from 'vitest';
import { countRows, heldBytes } from '../../src/predictions/recording/captured-prediction.ts';
import { copyTensors } from '../../src/tensor/copy.ts';
import { float32, text } from '../../src/tensor/tensor.ts';

describe('what is taken hold of', () => {
  it('does not keep the batch that a row was part of', () => {
    const batch = new Float32Array(32_000);
    batch.set([1, 2, 3, 4], 8);
    const row = { datatype: 'FP32', shape: [1, 4], data: batch.subarray(8, 12) } as const;
    const { kept } = copyTensors({ kept: row });
    expect(kept).toEqual({ datatype: 'FP32', shape: [1, 4], data: new Float32Array([1, 2, 3, 4]) });
    expect(kept?.datatype === 'FP32' && kept.data.buffer.byteLength).toBe(16);
  });

  it('does not share the memory of inputs, which their sender may use again', () => {
    const data = new Float32Array([1, 2, 3, 4]);
    const kept = copyTensors({ numbers: { datatype: 'FP32', shape: [1, 4], data }, words: text([1], ['a']) });
    data.fill(0);
    expect(kept).toEqual({ numbers: float32([1, 4], [1, 2, 3, 4]), words: text([1], ['a']) });
  });

  it('counts the instances of a domain, and the bytes of files and texts in them', () => {
    const typed = { domain: 'digits', instances: [{ image: new Uint8Array(1000) }, { text: 'x'.repeat(500) }] };
    const held = heldBytes({ inference: undefined, typed, results: [] });
    expect(countRows(typed, undefined)).toBe(2);
    expect(held).toBeGreaterThanOrEqual(2000);
    expect(held).toBeLessThan(2300);
    const results = [{ text: 'x'.repeat(500) }, { text: '' }];
    expect(heldBytes({ inference: undefined, typed, results })).toBeGreaterThanOrEqual(held + 1000);
  });
});
