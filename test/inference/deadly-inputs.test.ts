import { describe, expect, test } from 'vitest';
import { DeadlyInputs } from '../../src/inference/deadly-inputs.ts';
import { float32, type Tensor } from '../../src/tensor/tensor.ts';

const texts = (...data: string[]): Tensor => ({ datatype: 'BYTES', shape: [data.length], data });

describe('DeadlyInputs', () => {
  test('knows the same elements again, and no others', () => {
    const deadly = new DeadlyInputs();
    deadly.remember([float32([2], [1, 2])], 'it was ended by SIGFPE', 0);
    expect(deadly.reasonOf([float32([2], [1, 2])], 1)).toBe('it was ended by SIGFPE');
    for (const other of [float32([2], [1, 3]), float32([1, 2], [1, 2]), float32([1], [1]), float32([2], [2, 1])]) {
      expect(deadly.reasonOf([other], 1)).toBeUndefined();
    }
  });

  test('tells inputs without elements apart by their shapes', () => {
    const deadly = new DeadlyInputs();
    deadly.remember([float32([0, 3], [])], 'gone', 0);
    expect(deadly.reasonOf([float32([0, 3], [])], 1)).toBe('gone');
    expect(deadly.reasonOf([float32([0, 4], [])], 1)).toBeUndefined();
    expect(deadly.reasonOf([float32([3, 0], [])], 1)).toBeUndefined();
  });

  test('reads only what a view shows of its memory', () => {
    const deadly = new DeadlyInputs();
    const memory = Float32Array.from([9, 1, 2, 9]);
    deadly.remember([{ datatype: 'FP32', shape: [2], data: memory.subarray(1, 3) }], 'gone', 0);
    expect(deadly.reasonOf([float32([2], [1, 2])], 1)).toBe('gone');
  });

  test('tells texts apart by where they end', () => {
    const deadly = new DeadlyInputs();
    deadly.remember([texts('a', 'bc')], 'gone', 0);
    expect(deadly.reasonOf([texts('a', 'bc')], 1)).toBe('gone');
    expect(deadly.reasonOf([texts('ab', 'c')], 1)).toBeUndefined();
  });

  test('forgets after five minutes, counted from the last death', () => {
    const deadly = new DeadlyInputs();
    deadly.remember([float32([1], [1])], 'first', 0);
    deadly.remember([float32([1], [2])], 'other', 1_000);
    deadly.remember([float32([1], [1])], 'second', 2_000);
    expect(deadly.reasonOf([float32([1], [1])], 301_999)).toBe('second');
    expect(deadly.size).toBe(1);
    expect(deadly.reasonOf([float32([1], [1])], 302_000)).toBeUndefined();
    expect(deadly.size).toBe(0);
  });

  test('remembers a thousand, the latest', () => {
    const deadly = new DeadlyInputs();
    for (let value = 0; value <= 1_000; value += 1) deadly.remember([float32([1], [value])], 'gone', value);
    expect(deadly.size).toBe(1_000);
    expect(deadly.reasonOf([float32([1], [0])], 1_001)).toBeUndefined();
    expect(deadly.reasonOf([float32([1], [1])], 1_001)).toBe('gone');
  });
});
