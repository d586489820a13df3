import { unservableText } from '../../../../tensor/tensor.ts';
import type { TensorSource } from '../../graph-plan.ts';
import type { GraphFaults, Location } from '../graph-faults.ts';
import type { GraphMembers } from '../members.ts';
import { didYouMean, type LocatedStep } from '../step-table.ts';
import type { GraphInputs } from './graph-inputs.ts';
import type { TensorForm } from './tensor-form.ts';

/** Outputs of a step by name; those that a fault hides are undefined. */
export type StepOutputs = ReadonlyMap<string, TensorForm | undefined>;

export interface KnownTensorsOptions {
  readonly steps: ReadonlyMap<string, LocatedStep>;
  readonly members: GraphMembers;
  readonly inputs: GraphInputs;
  /** Without faults: what is wrong with a step is said where the step is planned. */
  readonly outputsOfStep: (located: LocatedStep, tensors: KnownTensors) => StepOutputs | undefined;
}

/** Every tensor that a wire or a rule can come from. What a fault hides is not a fault once more. */
export class KnownTensors {
  readonly inputs: GraphInputs;
  readonly members: GraphMembers;
  readonly #steps: ReadonlyMap<string, LocatedStep>;
  readonly #outputsOfStep: KnownTensorsOptions['outputsOfStep'];
  readonly #outputs = new Map<string, StepOutputs | undefined>();

  constructor({ steps, members, inputs, outputsOfStep }: KnownTensorsOptions) {
    this.#steps = steps;
    this.#outputsOfStep = outputsOfStep;
    this.members = members;
    this.inputs = inputs;
  }

  /** Undefined where there is no such step, or its outputs are not known. */
  outputsOf(name: string): StepOutputs | undefined {
    if (this.#outputs.has(name)) return this.#outputs.get(name);
    const located = this.#steps.get(name);
    // Of steps in a circle, none has outputs that are known.
    this.#outputs.set(name, undefined);
    const outputs = located === undefined ? undefined : this.#outputsOfStep(located, this);
    this.#outputs.set(name, outputs);
    return outputs;
  }

  /** The form of a tensor without faults. */
  formOf({ step, tensor }: TensorSource): TensorForm | undefined {
    return step === 'input' ? this.inputs.get(tensor) : this.outputsOf(step)?.get(tensor);
  }

  /** Whether there is such a step; a fault when there is none. */
  checkStep(step: string, location: Location, faults: GraphFaults): boolean {
    if (this.#steps.has(step)) return true;
    const names = [...this.#steps.keys()];
    const what = `there is no step ${JSON.stringify(step)}${didYouMean(step, names) || `; there are ${names.join(', ')}`}`;
    faults.add(location, 'unknown_step', what);
    return false;
  }

  /** The form of a tensor; undefined, with a fault, when there is no such tensor. */
  find(source: TensorSource, location: Location, faults: GraphFaults): TensorForm | undefined {
    const { step, tensor } = source;
    if (step !== 'input' && !this.checkStep(step, location, faults)) return undefined;
    const outputs = step === 'input' ? undefined : this.outputsOf(step);
    if (outputs !== undefined && !outputs.has(tensor)) {
      const names = [...outputs.keys()];
      const why = this.#unservable(source) ?? `there is no ${JSON.stringify(tensor)}${didYouMean(tensor, names)}`;
      faults.add(location, 'unknown_output', `${step} gives ${names.join(', ') || 'nothing'}; ${why}`);
    }
    return this.formOf(source);
  }

  #unservable({ step, tensor }: TensorSource): string | undefined {
    const [target] = this.#steps.get(step)?.targets ?? [];
    const member = target?.call === undefined ? undefined : this.members.called.get(target.call);
    const unservable = member?.facts.signature.unservable?.find(({ output }) => output === tensor);
    return unservable === undefined ? undefined : unservableText(unservable);
  }
}
