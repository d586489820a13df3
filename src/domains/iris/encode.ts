import type { Tensors } from '../../tensor/tensor.ts';
import type { Flower } from './schemas.ts';

export function encode(flowers: readonly Flower[]): Tensors {
  const data = new Float32Array(flowers.length * 4);
  flowers.forEach((flower, row) => {
    data[row * 4] = flower.sepal_length;
    data[row * 4 + 1] = flower.sepal_width;
    data[row * 4 + 2] = flower.petal_length;
    data[row * 4 + 3] = flower.petal_width;
  });
  return { features: { datatype: 'FP32', shape: [flowers.length, 4], data } };
}
