import { describe, expect, test } from 'vitest';
import { classKeys, labelledOutput } from '../../../src/protocols/native/class-labels.ts';
import { outputSchema } from '../../../src/protocols/native/tensor-schema.ts';
import { float32 } from '../../../src/tensor/tensor.ts';

describe('classKeys', () => {
  test.each([
    [['red', 'green'], undefined, ['red', 'green']],
    [['red', 'green', 'red'], undefined, ['red (0)', 'green', 'red (2)']],
    [['red'], 3, ['red', '1', '2']],
    [['2', '0'], 3, ['2 (0)', '0', '2 (2)']],
    [['1', '2'], 4, ['1', '2 (1)', '2 (2)', '3']],
    [['red', 'red', 'red (0)'], undefined, ['red (0)', 'red (1)', 'red (0) (2)']],
    [['red', 'green', 'blue'], 2, ['red', 'green']],
    [['__proto__', 'constructor'], undefined, ['__proto__', 'constructor']],
  ])('of %j, of %s classes, are %j', (labels, classes, expected) => {
    expect(classKeys(labels, classes)).toEqual(expected);
  });
});

test('no class of a row is lost, whatever the names', () => {
  const labels = ['2', '0'];
  const tensor = float32([2, 3], [1, 2, 3, 4, 5, 6]);
  expect(labelledOutput(tensor, 'probs', labels, undefined)).toEqual([
    { '2 (0)': 1, '0': 2, '2 (2)': 3 },
    { '2 (0)': 4, '0': 5, '2 (2)': 6 },
  ]);
  expect(labelledOutput(tensor, 'probs', labels, 2)).toEqual([
    [
      { label: '2 (2)', probability: 3 },
      { label: '0', probability: 2 },
    ],
    [
      { label: '2 (2)', probability: 6 },
      { label: '0', probability: 5 },
    ],
  ]);
});

test('the document lists the keys of the answer', () => {
  const text = JSON.stringify(outputSchema({ name: 'probs', datatype: 'FP32', shape: [-1, 3] }, ['2', '0']));
  expect(text).toContain('"enum":["2 (0)","0","2 (2)"]');
});
