import { describe, expect, it } from 'vitest';
import { Classification } from '../../../src/faces/image-classification/classification.ts';
import { classify } from '../../../src/faces/image-classification/classify.ts';
import { float32, int64, type Tensor } from '../../../src/tensor/tensor.ts';

const source = { output: 'logits', key: 'face.function' };
const labels = ['cat', 'dog', 'owl'];

describe('classify', () => {
  it('gives each row its classes, most probable first', () => {
    const rows = classify(float32([2, 3], [1, 3, 2, Math.log(2), 0, Math.log(5)]), {
      function: 'softmax',
      labels,
      source,
    });
    expect(rows.map(({ label, classes }) => [label, classes.map(({ index }) => index)])).toEqual([
      ['dog', [1, 2, 0]],
      ['owl', [2, 0, 1]],
    ]);
    expect(rows[1]?.classes.map(({ probability }) => probability)).toEqual([
      expect.closeTo(5 / 8, 7),
      expect.closeTo(2 / 8, 7),
      expect.closeTo(1 / 8, 7),
    ]);
    for (const row of rows) expect(Classification.parse(row)).toEqual(row);
  });

  it('keeps the best, and calls a class without a name by its index', () => {
    const [row] = classify(float32([1, 4], [0, 1, 0, 2]), { function: 'softmax', topK: 3, labels, source });
    expect(row?.classes.map(({ label }) => label)).toEqual(['3', 'dog', 'cat']);
  });

  it('does not overflow', () => {
    const [row] = classify(float32([1, 3], [1e30, -1e30, 1e30]), { function: 'softmax', labels, source });
    expect(row?.classes.map(({ label, probability }) => [label, probability])).toEqual([
      ['cat', 0.5],
      ['owl', 0.5],
      ['dog', 0],
    ]);
  });

  it('gives every class a probability of its own with sigmoid, in the order of the logits', () => {
    const [row] = classify(float32([1, 3], [900, 0, 901]), { function: 'sigmoid', labels, source });
    expect(row?.classes).toEqual([
      { label: 'owl', index: 2, probability: 1 },
      { label: 'cat', index: 0, probability: 1 },
      { label: 'dog', index: 1, probability: 0.5 },
    ]);
  });

  it('takes probabilities as they are, and what is no number as null', () => {
    const [row] = classify(float32([1, 3], [0.25, Number.NaN, 0.5]), { function: 'none', labels, source });
    expect(row).toEqual({
      label: 'owl',
      probability: 0.5,
      classes: [
        { label: 'owl', index: 2, probability: 0.5 },
        { label: 'cat', index: 0, probability: 0.25 },
        { label: 'dog', index: 1, probability: null },
      ],
    });
  });

  it('takes nothing for a probability that is none, but for what rounding adds', () => {
    const of = (value: number) => classify(float32([1, 2], [0, value]), { function: 'none', labels, source });
    expect(of(1.00001)).toMatchObject([{ probability: 1 }]);
    expect(of(Number.POSITIVE_INFINITY)).toMatchObject([{ probability: null }]);
    expect(() => of(2)).toThrow('The output logits has 2, which is no probability; say by face.function');
  });

  it('reads half floats, and more dimensions of one', () => {
    const data = new Uint16Array(Float16Array.of(0, 1, 0, 0.5).buffer);
    const half: Tensor = { datatype: 'FP16', shape: [2, 2, 1, 1], data };
    expect(
      classify(half, { function: 'none', labels, source }).map(({ label, probability }) => [label, probability]),
    ).toEqual([
      ['dog', 1],
      ['dog', 0.5],
    ]);
  });

  it('gives nothing for no rows, and refuses what is not of floats', () => {
    expect(classify(float32([0, 3], []), { function: 'softmax', labels, source })).toEqual([]);
    expect(() => classify(int64([1, 2], [1, 2]), { function: 'softmax', labels, source })).toThrow(
      expect.objectContaining({ code: 'SIGNATURE_MISMATCH' }),
    );
  });
});
