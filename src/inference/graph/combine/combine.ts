import { AppError } from '../../../errors.ts';
import type { Tensors } from '../../../tensor/tensor.ts';
import type { PlannedCombineStep } from '../graph-plan.ts';
import { countOf, type Part } from './combined.ts';
import { concat } from './concat.ts';
import { extreme } from './extreme.ts';
import { indexOfGreatest, mean } from './mean.ts';
import { vote } from './vote.ts';

type Rules = Pick<PlannedCombineStep, 'combine' | 'index' | 'nan' | 'axis'>;

/**
 * Combines the tensors that take part, element by element, and counts them.
 *
 * @throws AppError `STEP_MISMATCH` when they cannot be combined
 */
export function combine(rules: Rules, parts: readonly Part[]): Tensors {
  return { ...combined(rules, parts), count: countOf(parts) };
}

function combined({ combine: combination, index, nan, axis }: Rules, parts: readonly Part[]): Tensors {
  switch (combination) {
    case 'vote':
      return vote(parts);
    case 'mean': {
      const value = mean(parts, nan);
      return index ? { value, index: indexOfGreatest(value) } : { value };
    }
    case 'max':
    case 'min':
      return extreme(combination, parts, nan);
    case 'concat':
      return concat(parts, axis);
    case 'first':
    case 'fastest':
      throw new AppError('INTERNAL', { message: `${combination} takes the outputs of a step as they are` });
  }
}
