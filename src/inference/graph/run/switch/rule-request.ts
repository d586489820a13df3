import type { PredictContext } from '../../../predictor.ts';
import type { RuleRequest } from '../../rules.ts';

const noKey = { id: '', name: '' };

/** What rules know of a request: of its headers only those that the graph declares. */
export function readRuleRequest(context: PredictContext, headers: readonly string[], rows: number): RuleRequest {
  const { caller, arrivedAt } = context;
  const declared = headers.map((name) => [name, headerOf(context, name)]);
  return {
    headers: Object.fromEntries(declared),
    key: caller === undefined ? noKey : { id: caller.id, name: caller.name },
    now: new Date(arrivedAt),
    rows,
  };
}

function headerOf({ headers }: PredictContext, name: string): string {
  return headers?.get(name) ?? '';
}
