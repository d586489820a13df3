import type { Tensors } from '../../tensor/tensor.ts';
import { output } from '../output.ts';
import { type Classification, species } from './schemas.ts';

export function decode(outputs: Tensors): Classification[] {
  const labels = output(outputs, 'label', 'INT64').data;
  const probabilities = output(outputs, 'probabilities', 'FP32').data;
  return Array.from(labels, (label, row) => ({
    species: species[Number(label)] ?? species[0],
    probabilities: {
      setosa: probabilities[row * 3] ?? 0,
      versicolor: probabilities[row * 3 + 1] ?? 0,
      virginica: probabilities[row * 3 + 2] ?? 0,
    },
  }));
}
