import type { PlannedCombineStep } from '../../graph-plan.ts';

/** Where a tensor of a combination stands: it is there, it still comes, or it never will. */
export type Standing = 'there' | 'coming' | 'gone';

export type Decision =
  /** Those of `of` that take part, in order. */
  | { readonly kind: 'take'; readonly indexes: readonly number[] }
  | { readonly kind: 'wait' }
  /** What is there is enough; the rest has {@link PlannedCombineStep.waitMs}. */
  | { readonly kind: 'enough' }
  | { readonly kind: 'fail' };

type Rules = Pick<PlannedCombineStep, 'combine' | 'quorum' | 'waitMs'>;

/** What a combination does with what there is of its tensors. */
export function decideCombination(rules: Rules, standings: readonly Standing[]): Decision {
  const there = standings.flatMap((standing, index) => (standing === 'there' ? [index] : []));
  const coming = standings.includes('coming');
  switch (rules.combine) {
    case 'first':
      return decideFirst(standings);
    case 'fastest':
      if (there.length > 0) return { kind: 'take', indexes: there.slice(0, 1) };
      return { kind: coming ? 'wait' : 'fail' };
    default:
      return decideByQuorum(rules, standings, there);
  }
}

function decideFirst(standings: readonly Standing[]): Decision {
  const first = standings.findIndex((standing) => standing !== 'gone');
  if (first === -1) return { kind: 'fail' };
  return standings[first] === 'there' ? { kind: 'take', indexes: [first] } : { kind: 'wait' };
}

function decideByQuorum({ quorum, waitMs }: Rules, standings: readonly Standing[], there: readonly number[]): Decision {
  const coming = standings.filter((standing) => standing === 'coming').length;
  if (there.length + coming < quorum) return { kind: 'fail' };
  if (coming === 0) return { kind: 'take', indexes: there };
  if (there.length < quorum || waitMs === undefined) return { kind: 'wait' };
  return waitMs === 0 ? { kind: 'take', indexes: there } : { kind: 'enough' };
}
