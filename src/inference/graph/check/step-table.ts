import { nearestName } from '../../../names/nearest-name.ts';
import type {
  ArmDefinition,
  GraphDefinition,
  ModelStepDefinition,
  OtherwiseDefinition,
  StepDefinition,
  WireDefinition,
} from '../graph-definition.ts';
import type { TensorSource } from '../graph-plan.ts';
import type { GraphFaults, Location } from './graph-faults.ts';

/** What a step, an arm of a switch or its `otherwise` says of the member that it calls. */
export type CallDefinition = Pick<ModelStepDefinition, 'model' | 'in' | 'timeoutMs' | 'fallback'>;
export type UseDefinition = Extract<ArmDefinition, { use: unknown }>['use'];

/** What a step, or an arm of a switch, does. */
export type TargetDefinition = { readonly location: Location } & (
  | { readonly call: CallDefinition; readonly use?: never }
  | { readonly use: UseDefinition; readonly call?: never }
);

export interface LocatedStep {
  readonly index: number;
  readonly step: StepDefinition;
  /** Of a model step one; of a switch its arms, and `otherwise` unless it refuses. */
  readonly targets: readonly TargetDefinition[];
}

/** The steps of a graph by name, in the order of the file. Of two of one name, the first; the other is a fault. */
export function tableOfSteps({ steps }: GraphDefinition, faults: GraphFaults): ReadonlyMap<string, LocatedStep> {
  const table = new Map<string, LocatedStep>();
  for (const [index, step] of steps.entries()) {
    const before = table.get(step.name);
    if (before === undefined) {
      table.set(step.name, { index, step, targets: targetsOf(step, index) });
      continue;
    }
    const what = `steps.${before.index} is called ${JSON.stringify(step.name)} too; expected another name`;
    faults.add(['steps', index, 'name'], 'duplicate_step', what);
  }
  return table;
}

function targetsOf(step: StepDefinition, index: number): TargetDefinition[] {
  const location = ['steps', index];
  if ('model' in step) return [{ location, call: step }];
  if ('combine' in step) return [];
  const arms = step.switch.map((arm, place) => targetOf(arm, [...location, 'switch', place]));
  return step.otherwise === 'refuse' ? arms : [...arms, targetOf(step.otherwise, [...location, 'otherwise'])];
}

function targetOf(target: ArmDefinition | Exclude<OtherwiseDefinition, 'refuse'>, location: Location) {
  return 'use' in target ? { location, use: target.use } : { location, call: target };
}

/** `step.output` in its parts; what stands behind the first point is the tensor. */
export function parseSource(text: string): TensorSource {
  const point = text.indexOf('.');
  return point === -1 ? { step: text, tensor: '' } : { step: text.slice(0, point), tensor: text.slice(point + 1) };
}

/** Where a wire comes from; undefined where it is a literal. */
export function sourceOfWire(wire: WireDefinition): TensorSource | undefined {
  if (typeof wire === 'string') return parseSource(wire);
  return 'from' in wire ? parseSource(wire.from) : undefined;
}

/** As in `; did you mean "codes"?`, where a name is near. */
export function didYouMean(mistyped: string, names: Iterable<string>): string {
  const nearest = nearestName(mistyped, names);
  return nearest === undefined ? '' : `; did you mean ${JSON.stringify(nearest)}?`;
}
