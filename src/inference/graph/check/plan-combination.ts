import type { CombineStepDefinition } from '../graph-definition.ts';
import type { PlannedCombineStep, TensorSource } from '../graph-plan.ts';
import type { Location } from './graph-faults.ts';
import type { Planning } from './plan-call.ts';
import { didYouMean, parseSource } from './step-table.ts';
import { combinationFacts, concatenatedForm } from './tensors/combined.ts';
import { formText, type TensorForm, unifyShapes } from './tensors/tensor-form.ts';

/** What a combination says, without what every step has. */
export type PlannedCombination = Omit<PlannedCombineStep, 'name' | 'needs' | 'outputs' | 'required'>;

export function planCombination(
  step: CombineStepDefinition,
  location: Location,
  planning: Planning,
): PlannedCombination {
  const { combine, of, axis = -1, index = false, nan = 'propagate', waitMs } = step;
  checkKeys(step, location, planning);
  const takesSteps = combine === 'first' || combine === 'fastest';
  const sources = takesSteps ? of.map((name) => ({ step: name, tensor: '' })) : of.map(parseSource);
  if (takesSteps) checkSteps(sources, location, planning);
  else checkTensors(step, sources, { location, planning });
  return {
    kind: 'combine',
    combine,
    of: sources,
    weights: step.weights ?? of.map(() => 1),
    quorum: takesSteps ? 1 : (step.quorum ?? of.length),
    ...(waitMs !== undefined && { waitMs }),
    index,
    nan,
    axis,
  };
}

function checkKeys(step: CombineStepDefinition, location: Location, { faults }: Planning): void {
  const { combine, of, weights, quorum, waitMs, axis } = step;
  const { keys } = combinationFacts[combine];
  for (const key of ['weights', 'quorum', 'waitMs', 'index', 'nan', 'axis'] as const) {
    if (step[key] === undefined || keys.includes(key)) continue;
    const takes = keys.length === 0 ? 'nothing but "of"' : keys.map((known) => JSON.stringify(known)).join(', ');
    faults.add([...location, key], 'combination_key', `means nothing for ${combine}, which takes ${takes}`);
  }
  if (weights !== undefined && keys.includes('weights') && weights.length !== of.length) {
    const what = `found ${weights.length} for ${of.length} members; expected one for each of "of"`;
    faults.add([...location, 'weights'], 'weights', what);
  }
  if (weights !== undefined && !Number.isFinite(weights.reduce((sum, weight) => sum + weight, 0))) {
    faults.add([...location, 'weights'], 'weights', 'their sum is beyond the greatest number; expected smaller ones');
  }
  if (quorum !== undefined && keys.includes('quorum') && quorum > of.length) {
    faults.add([...location, 'quorum'], 'quorum', `found ${quorum}; "of" has ${of.length}`);
  }
  if (waitMs !== undefined && keys.includes('waitMs') && quorum === undefined) {
    faults.add([...location, 'waitMs'], 'quorum', 'says how long to wait beyond a quorum; add "quorum"');
  }
  if (axis === 0 && keys.includes('axis')) {
    faults.add([...location, 'axis'], 'axis', 'found 0, which counts rows; expected at least 1, or -1 for the last');
  }
  const repeated = combine === 'concat' ? undefined : of.findIndex((name, place) => of.indexOf(name) !== place);
  if (repeated !== undefined && repeated !== -1) {
    const advice = keys.includes('weights') ? '; say how much it counts by "weights"' : '';
    faults.add([...location, 'of', repeated], 'repeated', `${of[repeated]} is there before${advice}`);
  }
}

interface Of {
  readonly source: TensorSource;
  readonly form: TensorForm;
  readonly location: Location;
}

function checkTensors(
  { combine, axis = -1, index }: CombineStepDefinition,
  sources: readonly TensorSource[],
  { location, planning: { tensors, faults } }: { location: Location; planning: Planning },
): void {
  const { takes } = combinationFacts[combine];
  const known: Of[] = [];
  for (const [place, source] of sources.entries()) {
    const at = [...location, 'of', place];
    if (source.tensor === '') {
      const outputs = [...(tensors.outputsOf(source.step)?.keys() ?? [])].map((output) => `${source.step}.${output}`);
      const what = `${combine} takes tensors, and ${JSON.stringify(source.step)} is none`;
      faults.add(at, 'not_a_tensor', `${what}; expected ${outputs.join(' or ') || '"step.output"'}`);
      continue;
    }
    const form = tensors.find(source, at, faults);
    if (form === undefined) continue;
    if (takes === undefined || takes.datatypes.includes(form.datatype)) known.push({ source, form, location: at });
    else faults.add(at, 'wrong_datatype', `${combine} takes ${takes.text}, ${sourceText(source)} is ${formText(form)}`);
  }
  const [first, ...others] = known;
  if (first === undefined) return;
  if (combine === 'concat' && joins(first, first, axis) === undefined) {
    // That of rows is a fault of the key.
    const what = `${sourceText(first.source)} is ${formText(first.form)}, which has no axis ${axis} beside the rows`;
    if (axis !== 0) faults.add([...location, 'axis'], 'axis', what);
    return;
  }
  for (const other of others) {
    const fits = combine === 'concat' ? joins(first, other, axis) : unifyShapes(first.form.shape, other.form.shape);
    if (first.form.datatype === other.form.datatype && fits !== undefined) continue;
    const what = `${sourceText(other.source)} is ${formText(other.form)}, ${sourceText(first.source)} is ${formText(first.form)}`;
    const expected = combine === 'concat' ? `all dimensions but that of axis ${axis} equal` : 'equal shapes';
    faults.add(other.location, 'unlike', `${what}; ${combine} takes one data type and ${expected}`);
  }
  if (combine === 'mean' && index === true && first.form.shape.length === 1) {
    const what = `${sourceText(first.source)} is ${formText(first.form)}, whose only axis counts rows`;
    faults.add([...location, 'index'], 'index', `${what}; the index of the greatest needs a second axis`);
  }
}

function joins(a: Of, b: Of, axis: number): TensorForm | undefined {
  return concatenatedForm([a.form, { ...b.form, datatype: a.form.datatype }], axis);
}

function checkSteps(sources: readonly TensorSource[], location: Location, { tensors, faults }: Planning): void {
  const known: { step: string; outputs: ReadonlyMap<string, TensorForm | undefined>; at: Location }[] = [];
  for (const [place, { step }] of sources.entries()) {
    const at = [...location, 'of', place];
    const { step: owner, tensor } = parseSource(step);
    if (tensor !== '') {
      faults.add(
        at,
        'not_a_step',
        `expected the name of a step, such as ${JSON.stringify(owner)}; all its outputs are taken`,
      );
      continue;
    }
    if (!tensors.checkStep(step, at, faults)) continue;
    const outputs = tensors.outputsOf(step);
    if (outputs !== undefined) known.push({ step, outputs, at });
  }
  const [first, ...others] = known;
  if (first === undefined) return;
  for (const { step, outputs, at } of others) {
    const difference = differenceOfOutputs(first.outputs, outputs);
    if (difference === undefined) continue;
    const [ofFirst, ofOther] = [first.outputs, outputs].map(outputsText);
    faults.add(
      at,
      'unlike',
      `${step} gives ${ofOther}, ${first.step} gives ${ofFirst}; expected equal outputs${difference}`,
    );
  }
}

/** The name of an output that one side lacks, or that both have in forms that exclude each other. */
export function differenceOfOutputs(
  a: ReadonlyMap<string, TensorForm | undefined>,
  b: ReadonlyMap<string, TensorForm | undefined>,
): string | undefined {
  for (const name of b.keys()) if (!a.has(name)) return didYouMean(name, a.keys());
  for (const [name, form] of a) {
    if (!b.has(name)) return '';
    const other = b.get(name);
    if (form === undefined || other === undefined) continue;
    if (form.datatype !== other.datatype || unifyShapes(form.shape, other.shape) === undefined) return '';
  }
  return undefined;
}

export function outputsText(outputs: ReadonlyMap<string, TensorForm | undefined>): string {
  return [...outputs].map(([name, form]) => (form === undefined ? name : `${name} ${formText(form)}`)).join(', ');
}

function sourceText({ step, tensor }: TensorSource): string {
  return `${step}.${tensor}`;
}
