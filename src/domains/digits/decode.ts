import type { Tensors } from '../../tensor/tensor.ts';
import { output } from '../output.ts';
import type { Recognition } from './schemas.ts';

export function decode(outputs: Tensors): Recognition[] {
  const digits = output(outputs, 'digit', 'INT64').data;
  const probabilities = output(outputs, 'probabilities', 'FP32').data;
  return Array.from(digits, (digit, row) => {
    const at = (column: number) => probabilities[row * 10 + column] ?? 0;
    return {
      digit: Number(digit),
      probabilities: {
        0: at(0),
        1: at(1),
        2: at(2),
        3: at(3),
        4: at(4),
        5: at(5),
        6: at(6),
        7: at(7),
        8: at(8),
        9: at(9),
      },
    };
  });
}
