import type { SwitchStepDefinition } from '../graph-definition.ts';
import type { PlannedSwitchStep, PlannedTarget, PlannedWire } from '../graph-plan.ts';
import type { Location } from './graph-faults.ts';
import { memberText } from './members.ts';
import { type Planning, planCall } from './plan-call.ts';
import { differenceOfOutputs, outputsText } from './plan-combination.ts';
import type { LocatedStep, TargetDefinition } from './step-table.ts';
import type { StepOutputs } from './tensors/known-tensors.ts';
import { outputsOfTarget } from './tensors/step-outputs.ts';
import { formText, hasRows } from './tensors/tensor-form.ts';
import { resolveWire } from './tensors/wire.ts';
import type { GraphRules } from './usage.ts';

/** What a switch says, without what every step has. */
export type PlannedSwitch = Omit<PlannedSwitchStep, 'name' | 'needs' | 'outputs' | 'required'>;

interface SwitchPlanning extends Planning {
  readonly used: ReadonlySet<string>;
  readonly rules: GraphRules;
}

/** Undefined when something in it cannot be planned; what is wrong is a fault. */
export function planSwitch(
  { step: { name }, targets }: LocatedStep,
  step: SwitchStepDefinition,
  planning: SwitchPlanning,
): PlannedSwitch | undefined {
  const { tensors, rules, faults } = planning;
  const outputs = tensors.outputsOf(name) ?? new Map();
  checkOutputs(targets, outputs, planning);
  const planned = targets.map((target) => planTarget(target, outputs, planning));
  const arms = step.switch.map((arm, place) => ({ rule: rules.get(arm), target: planned[place] }));
  const perRow = arms.some(({ rule }) => rule !== undefined && rule.reads.length > 0);
  if (perRow) checkRows(targets, planned, planning);
  const whole = arms.flatMap(({ rule, target }) => (rule && target ? [{ rule, target }] : []));
  const otherwise = step.otherwise === 'refuse' ? 'refuse' : planned.at(-1);
  if (whole.length < arms.length || otherwise === undefined) return undefined;
  for (const [place, { rule }] of whole.entries()) {
    const source = rule.reads.find((read) => !hasRows(tensors.formOf(read) ?? { datatype: 'BOOL', shape: [] }));
    const form = source && tensors.formOf(source);
    if (source === undefined || form === undefined) continue;
    const what = `${source.step}.${source.tensor} is ${formText(form)}, whose first dimension counts no rows`;
    faults.add([...(targets[place]?.location ?? []), 'when'], 'rule', what);
  }
  return { kind: 'switch', perRow, arms: whole, otherwise };
}

function planTarget(
  target: TargetDefinition,
  outputs: StepOutputs,
  planning: SwitchPlanning,
): PlannedTarget | undefined {
  if (target.call !== undefined) return planCall(target, planning.used, planning);
  const planned = new Map<string, PlannedWire>();
  for (const [name, wire] of Object.entries(target.use)) {
    const goal = outputs.get(name);
    const resolved = resolveWire(wire, goal, { ...planning, location: [...target.location, 'use', name] });
    if (resolved !== undefined) planned.set(name, { ...resolved.wire, to: { name, ...(goal ?? resolved.form) } });
  }
  return { kind: 'use', outputs: planned };
}

/** All arms give the same outputs: each is held against the first. */
function checkOutputs(targets: readonly TargetDefinition[], outputs: StepOutputs, { tensors, faults }: Planning): void {
  const all = targets.map((target) => ({ target, gives: outputsOfTarget(target, tensors, outputs) }));
  const [first, ...others] = all.filter(({ gives }) => gives !== undefined);
  if (first?.gives === undefined) return;
  for (const { target, gives } of others) {
    const difference = gives && differenceOfOutputs(first.gives, gives);
    if (gives === undefined || difference === undefined) continue;
    const what = `gives ${outputsText(gives)}, ${first.target.location.join('.')} gives ${outputsText(first.gives)}`;
    const location: Location = [...target.location, target.call === undefined ? 'use' : 'model'];
    faults.add(location, 'unlike', `${giver(target, tensors)}${what}; expected equal outputs${difference}`);
  }
}

function giver({ call }: TargetDefinition, tensors: Planning['tensors']): string {
  const member = call && tensors.members.called.get(call);
  return member === undefined ? '' : `${memberText(member)} `;
}

/** Rows go to different arms, so that whatever an arm takes and gives must have rows. */
function checkRows(
  targets: readonly TargetDefinition[],
  planned: readonly (PlannedTarget | undefined)[],
  { tensors, faults }: Planning,
): void {
  const why = 'whose first dimension counts no rows; a rule of this switch decides for each row';
  for (const [place, { call, location }] of targets.entries()) {
    const member = call && tensors.members.called.get(call);
    for (const spec of [...(member?.facts.signature.inputs ?? []), ...(member?.facts.signature.outputs ?? [])]) {
      if (member === undefined || hasRows(spec)) continue;
      faults.add([...location, 'model'], 'no_rows', `${memberText(member)} has ${spec.name} ${formText(spec)}, ${why}`);
    }
    const target = planned[place];
    const wires = target?.kind === 'call' ? target.inputs : target?.outputs;
    for (const [name, { from, to }] of wires ?? []) {
      const form = 'row' in from ? undefined : tensors.formOf(from);
      if ('row' in from || form === undefined || hasRows(form)) continue;
      // That of the member is told above.
      if (call !== undefined && !hasRows(to)) continue;
      const what = `${from.step}.${from.tensor} is ${formText(form)}, ${why}`;
      faults.add([...location, call === undefined ? 'use' : 'in', name], 'no_rows', what);
    }
  }
}
