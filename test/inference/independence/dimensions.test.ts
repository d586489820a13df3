import { expect, test } from 'vitest';
import { dimensionObstacle } from '../../../src/inference/independence/dimensions.ts';
import type { TensorSpec } from '../../../src/tensor/tensor.ts';

const spec = (name: string, ...dimensions: (number | string)[]): TensorSpec => ({
  name,
  datatype: 'FP32',
  shape: dimensions.map((dimension) => (typeof dimension === 'string' ? -1 : dimension)),
  dimensions,
});

test.each<[string, TensorSpec[], TensorSpec[], RegExp | undefined]>([
  ['one name for all rows', [spec('a', 'batch', 3), spec('b', 'batch')], [spec('y', 'batch', 2)], undefined],
  ['no names', [spec('a', -1, 3), spec('b', -1)], [spec('y', -1)], undefined],
  ['an output with a name of its own', [spec('a', 'batch', 3)], [spec('y', 'unk__1', 2)], undefined],
  ['a fixed first dimension', [spec('a', 1, 3)], [], /"a" is fixed at 1/],
  ['a scalar', [spec('a', 'n'), spec('b')], [], /"b" has no dimension/],
  ['no input', [], [], /no input/],
  [
    'different names',
    [spec('a', 'queries', 3), spec('b', 'documents', 3)],
    [],
    /different names \(queries, documents\)/,
  ],
  ['a table of pairs', [spec('a', 'n', 2)], [spec('y', 'n', 'n')], /"n" comes again as dimension 1 of "y"/],
  ['a mask of pairs', [spec('a', 'n', 2), spec('m', 'n', 'n')], [], /dimension 1 of "m"/],
])('%s', (_, inputs, outputs, obstacle) => {
  const found = dimensionObstacle({ inputs, outputs });
  if (obstacle === undefined) expect(found).toBeUndefined();
  else expect(found).toMatch(obstacle);
});
