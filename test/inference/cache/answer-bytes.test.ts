import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { answerFromBytes, answerToBytes } from '../../../src/inference/cache/shared/answer-bytes.ts';
import type { AnswerForm } from '../../../src/inference/cache/shared/shared-answers.ts';
import { float32, int64, type Tensors, text } from '../../../src/tensor/tensor.ts';

const form: AnswerForm = {
  outputs: [
    { name: 'y', datatype: 'FP32', shape: [-1, 2] },
    { name: 'label', datatype: 'BYTES', shape: [-1] },
    { name: 'index', datatype: 'INT64', shape: [-1] },
  ],
  isRow: false,
};
const answer: Tensors = {
  label: text([2], ['', 'ä']),
  y: float32([2, 2], [1, -0, Number.NaN, Number.POSITIVE_INFINITY]),
  index: int64([2], [-(2n ** 63n), 1]),
};
const key = 'k'.repeat(32);
const bytes = answerToBytes(key, answer) ?? new Uint8Array();

describe('the bytes of an answer', () => {
  it('are read as they were written', () => {
    expect(answerFromBytes(key, bytes, form)).toEqual(answer);
  });

  it('are no answer to another key, and none of another form', () => {
    expect(answerFromBytes('other', bytes, form)).toBeUndefined();
    const forms: AnswerForm[] = [
      { ...form, isRow: true },
      { ...form, outputs: form.outputs.slice(0, 2) },
      { ...form, outputs: [...form.outputs, { name: 'z', datatype: 'FP32', shape: [-1] }] },
      { ...form, outputs: form.outputs.map((spec) => (spec.name === 'y' ? { ...spec, shape: [-1, 3] } : spec)) },
      { ...form, outputs: form.outputs.map((spec) => (spec.name === 'y' ? { ...spec, datatype: 'INT32' } : spec)) },
    ];
    for (const other of forms) expect(answerFromBytes(key, bytes, other)).toBeUndefined();
  });

  it('are none with any change', () => {
    const change = fc.record({ at: fc.nat(bytes.byteLength - 1), by: fc.integer({ min: 1, max: 255 }) });
    fc.assert(
      fc.property(change, ({ at, by }) => {
        const changed = Uint8Array.from(bytes);
        changed[at] = (changed[at] ?? 0) ^ by;
        expect(answerFromBytes(key, changed, form)).toBeUndefined();
      }),
    );
  });

  it('are none when they are garbage', () => {
    fc.assert(fc.property(fc.uint8Array(), (garbage) => answerFromBytes(key, garbage, form) === undefined));
    for (const length of [0, 1, 31, 32, 33, bytes.byteLength - 1]) {
      expect(answerFromBytes(key, bytes.subarray(0, length), form)).toBeUndefined();
    }
  });

  it('are not there for a text that has no UTF-8', () => {
    expect(answerToBytes(key, { label: text([1], ['\ud800']) })).toBeUndefined();
  });
});
