import { AppError } from '../../../../errors.ts';
import { type Tensor, zeros } from '../../../../tensor/tensor.ts';
import { inTurns } from '../../../../timing/turns.ts';
import { noTimings, timingsInParallel } from '../../../timings.ts';
import type { PlannedSwitchStep, PlannedTarget } from '../../graph-plan.ts';
import { runCall, type StepResult } from '../run-call.ts';
import { failureOutcome, type StepScope } from '../step-scope.ts';
import { wireTensor } from '../wires/wire-tensor.ts';
import { decideArm, decideRows, type Group, rowsOfRules } from './decide-arms.ts';
import { putRowsBack, readRows, type Share } from './rows-of-arms.ts';

/** The outputs that are used, and what to ask members for. */
export interface Asked {
  readonly used: readonly string[];
  readonly asks: readonly string[] | undefined;
}

/**
 * Decides the rules of a switch, and runs the arms that they lead to; each reports for itself.
 *
 * @throws AppError `NO_ROUTE` for rows that no rule takes, before any arm runs; why an arm failed
 */
export async function runSwitch(step: PlannedSwitchStep, asked: Asked, scope: StepScope): Promise<StepResult> {
  if (step.perRow) return runRows(step, asked, scope);
  const { arm, target } = decideArm(step, scope);
  scope.events?.onRoute?.(step.name, arm, scope.rows);
  return runArm({ arm, target }, asked, scope);
}

async function runRows(step: PlannedSwitchStep, asked: Asked, scope: StepScope): Promise<StepResult> {
  const rows = rowsOfRules(step, scope);
  if (rows === 0) return runNoRows(step, asked, scope);
  const groups = await inTurns(decideRows(step, rows, scope));
  for (const { target } of groups) checkIndependence(target, scope);
  for (const group of groups) scope.events?.onRoute?.(step.name, group.arm, group.rows.length);
  const [only] = groups;
  if (only !== undefined && groups.length === 1) return runArm(only, asked, scope);
  return joined(asked, rows, await runGroups(groups, rows, asked, scope));
}

interface GroupResult extends Group {
  readonly result: StepResult;
}

/** Runs the arms side by side. When one has failed, the others are ended, and have settled before the error is thrown. */
async function runGroups(
  groups: readonly Group[],
  ofAll: number,
  asked: Asked,
  scope: StepScope,
): Promise<readonly GroupResult[]> {
  let failure: { readonly error: unknown } | undefined;
  const runs = groups.map(async (group): Promise<GroupResult | undefined> => {
    const ofArm = { ...scope, rows: group.rows.length, read: readRows(scope.read, group.rows, ofAll) };
    try {
      return { ...group, result: await runArm(group, asked, ofArm) };
    } catch (error) {
      failure ??= { error };
      scope.abort();
      return undefined;
    }
  });
  const results = await Promise.all(runs);
  if (failure !== undefined) throw failure.error;
  return results.filter((result) => result !== undefined);
}

async function runArm({ arm, target }: Omit<Group, 'rows'>, asked: Asked, scope: StepScope): Promise<StepResult> {
  const startedMs = scope.clock.now();
  const report = (result: Pick<StepResult, 'outcome' | 'member'>) =>
    scope.report({ arm, ...result, ms: scope.clock.now() - startedMs });
  try {
    const result = target.kind === 'call' ? await runCall(target, asked.asks, scope) : runUse(target, asked, scope);
    report({ outcome: result.outcome, member: result.member });
    return result;
  } catch (error) {
    report({ outcome: failureOutcome(error, scope), member: target.kind === 'call' ? target.member : undefined });
    throw error;
  }
}

function runUse(target: Extract<PlannedTarget, { kind: 'use' }>, { used }: Asked, scope: StepScope): StepResult {
  const outputs: Record<string, Tensor> = Object.create(null);
  for (const name of used) {
    const wire = target.outputs.get(name);
    if (wire !== undefined) outputs[name] = wireTensor(wire, 'use', name, scope);
  }
  return { outputs, timings: noTimings, outcome: 'ok' };
}

/** No arm runs, unless only a run can tell the shape of an output. */
function runNoRows(step: PlannedSwitchStep, asked: Asked, scope: StepScope): Promise<StepResult> | StepResult {
  const specs = step.outputs.filter(({ name }) => asked.used.includes(name));
  const isKnown = specs.every(({ shape }) => shape.length > 0 && !shape.includes(-1, 1));
  const arm = step.otherwise === 'refuse' ? '0' : 'otherwise';
  const target = step.otherwise === 'refuse' ? step.arms[0]?.target : step.otherwise;
  if (!isKnown && target !== undefined) return runArm({ arm, target }, asked, scope);
  const outputs = specs.map(({ name, datatype, shape }) => [name, zeros(datatype, [0, ...shape.slice(1)])]);
  return { outputs: Object.fromEntries(outputs), timings: noTimings, outcome: 'ok' };
}

function joined({ used }: Asked, rows: number, results: readonly GroupResult[]): StepResult {
  const outputs = used.map((name) => {
    const shares = results.map(({ arm, rows: ofArm, result }): Share => {
      const tensor = result.outputs[name];
      if (tensor !== undefined) return { arm, rows: ofArm, tensor };
      throw new AppError('STEP_MISMATCH', { message: `${name}: arm ${arm} has not given it` });
    });
    return [name, putRowsBack(name, shares, rows)];
  });
  return {
    outputs: Object.fromEntries(outputs),
    timings: timingsInParallel(results.map(({ result }) => result.timings)),
    outcome: 'ok',
  };
}

/** That rows are independent may be found wrong while a model serves. */
function checkIndependence(target: PlannedTarget, { members }: StepScope): void {
  if (target.kind === 'use') return;
  const member = members[target.member];
  if (member === undefined || member.independentRows) return;
  throw new AppError('MODEL_NOT_READY', {
    message: `The rows of ${member.name} ${member.version} change each other, so that no rule for each row can lead to it`,
  });
}
