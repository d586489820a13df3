import type { Tensors } from '../../tensor/tensor.ts';
import { output } from '../output.ts';
import type { Survival } from './schemas.ts';

export function decode(outputs: Tensors): Survival[] {
  const survived = output(outputs, 'survived', 'INT64').data;
  const probabilities = output(outputs, 'probability', 'FP32').data;
  return Array.from(survived, (label, row) => {
    const probability = probabilities[row] ?? 0;
    const percent = Math.round(probability * 100);
    return label === 1n
      ? { survived: 1, probability, message: `Would probably have survived (${percent} %)` }
      : { survived: 0, probability, message: `Would probably not have survived (${percent} %)` };
  });
}
