import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { AnswerPacker, unpack } from '../../../src/inference/cache/packed-answer.ts';
import { elementBytes, typedArrays } from '../../../src/tensor/data-type.ts';
import { float32, type Tensor, type Tensors, tensorOver, text } from '../../../src/tensor/tensor.ts';

const sizes = Object.keys(typedArrays).filter((name) => name !== 'BOOL') as (keyof typeof typedArrays)[];

const numbers: fc.Arbitrary<Tensor> = fc
  .record({ datatype: fc.constantFrom(...sizes), shape: fc.array(fc.nat(6), { maxLength: 3 }), seed: fc.nat(255) })
  .map(({ datatype, shape, seed }) => {
    const length = shape.reduce((count, size) => count * size, 1) * elementBytes(datatype);
    return tensorOver(
      datatype,
      shape,
      Uint8Array.from({ length }, (_, index) => (index * 31 + seed) % 256),
    );
  });
const texts: fc.Arbitrary<Tensor> = fc
  .array(fc.string({ unit: 'grapheme' }).filter((value) => !value.includes('\0')))
  .map((data) => text([data.length], data));
const answers: fc.Arbitrary<Tensors> = fc.dictionary(fc.stringMatching(/^[a-z]{1,3}$/), fc.oneof(numbers, texts));

/** The tensor with its elements as bytes, so that NaN is equal to NaN of the same bits alone. */
const exact = (tensors: Tensors) =>
  Object.entries(tensors).map(([name, { datatype, shape, data }]) => [
    name,
    datatype,
    shape,
    ArrayBuffer.isView(data) ? Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString('hex') : data,
  ]);

describe('a packed answer', () => {
  it('is what it was, whatever was packed before', () => {
    const packer = new AnswerPacker();
    fc.assert(
      fc.property(answers, (answer) => {
        const packed = packer.pack(answer);
        expect(packed && exact(unpack(packed))).toEqual(exact(answer));
      }),
    );
  });

  it('of many bytes is what it was too, and shares memory with nobody', () => {
    const values = Array.from({ length: 5000 }, (_, index) => index);
    const written = Float32Array.from(values);
    const answer: Tensors = { y: { datatype: 'FP32', shape: [5000], data: written } };
    const packed = new AnswerPacker().pack(answer);
    if (packed === undefined) throw new Error('it was not packed');
    written.fill(0);
    const first = unpack(packed)['y'];
    if (first?.datatype === 'FP32') first.data.fill(1);
    expect(unpack(packed)['y']).toEqual(float32([5000], values));
  });

  it('is there for each row, where all outputs have as many', () => {
    const packer = new AnswerPacker();
    const answer = { y: float32([2, 2], [1, 2, 3, 4]), t: text([2], ['', 'b']) };
    expect(packer.packRows(answer, 2)?.map(unpack)).toEqual([
      { y: float32([1, 2], [1, 2]), t: text([1], ['']) },
      { y: float32([1, 2], [3, 4]), t: text([1], ['b']) },
    ]);
    expect(packer.packRows(answer, 3)).toBeUndefined();
  });

  it('is not there for a text that has no UTF-8', () => {
    expect(new AnswerPacker().pack({ t: text([1], ['\ud800']) })).toBeUndefined();
  });
});
