import { describe, expect, it } from 'vitest';
import { isRight, scoreOf } from '../../../src/predictions/performance/score.ts';

describe('the score of a classification', () => {
  const rules = { task: 'classification', classNames: ['died', 'survived'] } as const;

  it('is the part of the labelled answers that is right', () => {
    const answers = [
      { predicted: 1, label: 1 },
      { predicted: 0, label: 'survived' },
      { predicted: [1], label: 'survived' },
      { predicted: 1 },
      { predicted: undefined, label: 1 },
    ];
    expect(scoreOf(answers, rules)).toMatchObject({ labelled: 3, accuracy: 2 / 3, root_mean_square_error: null });
  });

  it('is unknown without labels, and scores are averaged for themselves', () => {
    const answers = [{ predicted: 1, score: 0.5 }, { predicted: 0, score: 1 }, { predicted: 0 }];
    expect(scoreOf(answers, rules)).toMatchObject({ labelled: 0, accuracy: null, scored: 2, mean_score: 0.75 });
  });

  it.each([
    ['setosa', 'setosa', true],
    ['setosa', 'virginica', false],
    ['setosa', 0, true],
    [2, 'virginica', true],
    [2, '2', true],
    [1, true, true],
    [0, true, false],
    ['', 0, false],
    [9007199254740993n, '9007199254740993', true],
    [9007199254740993n, '9007199254740992', false],
    ['9007199254740993', '9007199254740992', false],
  ])('takes %s and %s as %s', (answer, label, expected) => {
    expect(isRight(answer, label, ['setosa', 'versicolor', 'virginica'])).toBe(expected);
  });
});

describe('the score of a regression', () => {
  it('has the mean of the absolute errors and the root of the mean square', () => {
    const answers = [
      { predicted: 10, label: 13 },
      { predicted: [[7]], label: '3' },
      { predicted: 5, label: 'no number' },
    ];
    expect(scoreOf(answers, { task: 'regression' })).toMatchObject({
      labelled: 2,
      accuracy: null,
      mean_absolute_error: 3.5,
      root_mean_square_error: Math.sqrt(12.5),
    });
  });
});
