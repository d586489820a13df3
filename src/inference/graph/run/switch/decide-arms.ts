import { AppError, mostFaults } from '../../../../errors.ts';
import type { SlicedWork } from '../../../../timing/sliced-work.ts';
import { clientGone, deadlineExceeded } from '../../../batcher/refusals.ts';
import type { PlannedSwitchStep, PlannedTarget, TensorSource } from '../../graph-plan.ts';
import type { CompiledRule } from '../../rules.ts';
import { doesNotFit, tensorText } from '../step-error.ts';
import type { StepScope } from '../step-scope.ts';

/** The rows that go to an arm, in their order. */
export interface Group {
  /** The index of the arm, or `otherwise`. */
  readonly arm: string;
  readonly target: PlannedTarget;
  readonly rows: readonly number[];
}

/** The arm that takes the whole request. */
export function decideArm(step: PlannedSwitchStep, scope: StepScope): Omit<Group, 'rows'> {
  const index = step.arms.findIndex(({ rule }, arm) => holds(rule, 0, { step: step.name, arm, scope }));
  return { arm: armName(index), target: targetOf(step, index) ?? refuse(step, []) };
}

/** A rule takes a microsecond and more: so many rows stay far below the time of a slice, with 64 arms too. */
const rowsAtOnce = 64;

/**
 * The arms that take rows, and which; none where there are no rows. A request may have millions of rows, which no member
 * has refused yet.
 *
 * @throws AppError `NO_ROUTE`; `CLIENT_GONE` and `DEADLINE_EXCEEDED` when nobody waits for the rest any more
 */
export function* decideRows(step: PlannedSwitchStep, rows: number, scope: StepScope): SlicedWork<Group[]> {
  const deciders = step.arms.map(({ rule }, arm) => decider(rule, { step: step.name, arm, scope }));
  const byArm = new Map<number, number[]>();
  for (let row = 0; row < rows; row += 1) {
    if (row > 0 && row % rowsAtOnce === 0) {
      yield;
      checkWaitedFor(scope);
    }
    const index = deciders.findIndex((decide) => decide(row));
    const group = byArm.get(index);
    if (group === undefined) byArm.set(index, [row]);
    else group.push(row);
  }
  return [...byArm]
    .toSorted(([one], [other]) => rank(one) - rank(other))
    .map(([index, ofArm]) => ({
      arm: armName(index),
      target: targetOf(step, index) ?? refuse(step, ofArm),
      rows: ofArm,
    }));
}

function checkWaitedFor({ signal, clock, deadlineMs }: StepScope): void {
  if (signal.aborted) throw clientGone();
  if (clock.now() >= deadlineMs) throw deadlineExceeded();
}

/** How many rows the tensors have that the rules of a switch read. */
export function rowsOfRules({ arms }: PlannedSwitchStep, { read }: StepScope): number {
  let first: TensorSource | undefined;
  for (const source of arms.flatMap(({ rule }) => rule.reads)) {
    first ??= source;
    const [rows, expected] = [read(source).shape[0], read(first).shape[0]];
    if (rows === expected && rows !== undefined) continue;
    const problem = `is ${tensorText(read(source))}, ${first.step}.${first.tensor} is ${tensorText(read(first))}`;
    throw doesNotFit(['switch'], source, problem);
  }
  return first === undefined ? 1 : (read(first).shape[0] ?? 1);
}

interface Place {
  readonly step: string;
  readonly arm: number;
  readonly scope: StepScope;
}

/** Decides a rule by row; one that reads no tensor once. */
function decider(rule: CompiledRule, place: Place): (row: number) => boolean {
  if (rule.reads.length > 0) return (row) => holds(rule, row, place);
  let decided: boolean | undefined;
  return () => {
    decided ??= holds(rule, 0, place);
    return decided;
  };
}

function holds(rule: CompiledRule, row: number, { step, arm, scope }: Place): boolean {
  const request = scope.ruleRequest();
  try {
    return rule.decide(request, scope.read, row);
  } catch {
    scope.events?.onRuleError?.(step, armName(arm));
    return false;
  }
}

function targetOf({ arms, otherwise }: PlannedSwitchStep, index: number): PlannedTarget | undefined {
  if (index !== -1) return arms[index]?.target;
  return otherwise === 'refuse' ? undefined : otherwise;
}

function armName(index: number): string {
  return index === -1 ? 'otherwise' : String(index);
}

/** In the order of the file; what no rule takes comes last. */
function rank(index: number): number {
  return index === -1 ? Number.POSITIVE_INFINITY : index;
}

const mostRowsInMessage = 20;

/** @param rows that no rule takes; none where the rules are about the whole request */
function refuse({ arms }: PlannedSwitchStep, rows: readonly number[]): never {
  const told = rows.slice(0, mostRowsInMessage).join(', ');
  const more = rows.length > mostRowsInMessage ? ` and ${rows.length - mostRowsInMessage} more` : '';
  const what = rows.length === 0 ? 'the request' : `${rows.length === 1 ? 'row' : 'rows'} ${told}${more}`;
  throw new AppError('NO_ROUTE', {
    message: `no rule takes ${what}`,
    received: rows.slice(0, mostFaults),
    expected: arms.map(({ rule }) => rule.text),
    faults: rows.slice(0, mostFaults).map((row) => ({
      location: ['rows', row],
      type: 'no_route',
      message: `no rule takes row ${row}`,
    })),
    faultCount: rows.length,
  });
}
