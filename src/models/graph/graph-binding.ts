import { isDeepStrictEqual } from 'node:util';
import { AppError, toAppError } from '../../errors.ts';
import { formText } from '../../inference/graph/check/tensors/tensor-form.ts';
import type { BoundMember, HeldBinding } from '../../inference/graph/graph-binding.ts';
import type { GraphDefinition } from '../../inference/graph/graph-definition.ts';
import type { GraphPlan } from '../../inference/graph/graph-plan.ts';
import type { Health, PredictContext, Prediction } from '../../inference/predictor.ts';
import type { Signature, TensorSpec, Tensors } from '../../tensor/tensor.ts';
import type { Log } from '../../timing/log.ts';
import type { Binding, BoundStep, BoundVersion } from '../assembled.ts';
import type { Manifest } from '../manifest.ts';
import type { Lease, Members } from '../registry/lease.ts';
import { sameSignature } from '../registry/same-signature.ts';
import type { Routing } from '../traffic/choose-arm.ts';
import { type BoundModel, type BoundPlan, bindGraph, type PlanGraph } from './bind-graph.ts';
import { boundOutputs, boundSteps, essentialMembers } from './bound-steps.ts';
import { inheritedLabels } from './inherited-labels.ts';

/** Predicts with a member, and counts it as a request of the member. */
export type PredictMember = (lease: Lease, inputs: Tensors, context: PredictContext) => Promise<Prediction>;

export interface GraphBindingOptions {
  readonly name: string;
  readonly version: string;
  readonly definition: GraphDefinition;
  readonly members: Members;
  readonly planGraph: PlanGraph;
  readonly predictMember: PredictMember;
  readonly log: Pick<Log, 'info' | 'warn'>;
}

/**
 * Which versions a graph stands on. They were checked together and are swapped as one; a graph that does not fit what
 * its members have become stays with the versions that it has.
 */
export class GraphBinding implements Binding {
  readonly signature: Signature;
  readonly #options: GraphBindingOptions;
  #bound: BoundPlan;
  #stale: AppError | undefined;
  /** Class names that the outputs have from the members, as they were when the graph was loaded. */
  readonly labels: Manifest['labels'];
  #isOutdated = false;
  #generation = 1;

  /** @throws AppError `GRAPH_INVALID` with every fault, `MODEL_NOT_READY` that names the members that are not */
  constructor(options: GraphBindingOptions) {
    this.#options = options;
    this.#bound = bindGraph(options);
    this.signature = this.#bound.plan.signature;
    this.labels = inheritedLabels(this.#bound, options.members);
    const { name, version, log } = options;
    const { warnings } = this.#bound.plan;
    if (warnings.length > 0) log.warn({ model: name, version, warnings }, 'The graph has parts that do nothing');
  }

  get plan(): GraphPlan {
    return this.#bound.plan;
  }

  get members(): readonly BoundVersion[] {
    return this.#bound.versions;
  }

  /** By the index that the plan names. */
  get bound(): readonly BoundVersion[] {
    return this.#bound.members;
  }

  get depth(): number {
    return this.#bound.depth;
  }

  get generation(): number {
    return this.#generation;
  }

  get readsRequest(): boolean {
    return this.#bound.readsRequest;
  }

  get stale(): AppError | undefined {
    return this.#stale;
  }

  get steps(): readonly BoundStep[] {
    return boundSteps(this.plan, this.#bound.members);
  }

  get outputs(): Readonly<Record<string, string>> {
    return boundOutputs(this.plan);
  }

  get isOutdated(): boolean {
    return this.#isOutdated;
  }

  follow(): void {
    const { name, version, log } = this.#options;
    try {
      const next = bindGraph(this.#options);
      if (!sameSignature(this.signature, next.plan.signature))
        throw otherSignature(this.signature, next.plan.signature);
      this.#bound = next;
      this.#isOutdated = !isDeepStrictEqual(inheritedLabels(next, this.#options.members), this.labels);
      this.#generation += 1;
      if (this.#stale !== undefined) log.info({ model: name, version }, 'The graph fits its members again');
      this.#stale = undefined;
    } catch (thrown) {
      const error = toAppError(thrown);
      if (this.#stale?.message !== error.message) {
        log.warn({ err: error, model: name, version }, 'The graph stays with the versions that it has');
      }
      this.#stale = error;
    }
  }

  /** @throws AppError `MODEL_NOT_READY` that names the member */
  hold(routing: Routing): HeldBinding {
    const { plan, members } = this.#bound;
    const leases: Lease[] = [];
    const release = () => {
      for (const lease of leases) lease.release();
    };
    try {
      for (const member of members) leases.push(this.#lease(member, routing));
    } catch (thrown) {
      release();
      throw thrown;
    }
    const { predictMember } = this.#options;
    return { plan, members: leases.map((lease) => new LeasedMember(lease, predictMember)), release };
  }

  #lease({ name, version, signature, arms }: BoundModel, routing: Routing): Lease {
    const { members } = this.#options;
    if (arms.length === 0) return members.lease(name, version);
    const lease = members.lease(name, undefined, routing);
    // The member may have moved a moment ago, to what the graph does not fit.
    if (sameSignature(lease.predictor.signature, signature)) return lease;
    lease.release();
    return members.lease(name, version);
  }

  health(): Health {
    for (const index of essentialMembers(this.plan)) {
      const bound = this.#bound.members[index];
      const health = bound === undefined ? undefined : this.#healthOf(bound);
      if (health?.ready === false) return health;
    }
    const dependent = this.#dependentMember();
    if (dependent === undefined) return { ready: true };
    return { ready: false, reason: `Rules choose by row, and rows of the member ${dependent} depend on each other` };
  }

  /** Whether rows change each other in no member either. */
  independentRows(): boolean {
    return this.plan.rowWise && this.members.every((bound) => this.#find(bound)?.predictor?.independentRows === true);
  }

  #find({ name, version }: BoundVersion) {
    return this.#options.members.find(name, version);
  }

  #healthOf(bound: BoundVersion): Health {
    const found = this.#find(bound);
    const who = `The member ${bound.name} ${bound.version}`;
    if (found?.predictor === undefined) {
      return { ready: false, reason: `${who} is not ready: ${found?.reason ?? 'it is not loaded'}` };
    }
    const { health } = found.predictor;
    return health.ready ? health : { ...health, reason: `${who} is not ready: ${health.reason}` };
  }

  #dependentMember(): string | undefined {
    const dependent = this.plan.needIndependent.find((index) => {
      const bound = this.#bound.members[index];
      return bound !== undefined && this.#find(bound)?.predictor?.independentRows === false;
    });
    return dependent === undefined ? undefined : this.#bound.members[dependent]?.name;
  }
}

/** A member as a run sees it. Each request has one of each member, so that it has no closures. */
class LeasedMember implements BoundMember {
  readonly name: string;
  readonly version: string;
  readonly independentRows: boolean;
  readonly #lease: Lease;
  readonly #predictMember: PredictMember;

  constructor(lease: Lease, predictMember: PredictMember) {
    this.name = lease.name;
    this.version = lease.version;
    this.independentRows = lease.predictor.independentRows;
    this.#lease = lease;
    this.#predictMember = predictMember;
  }

  leastMs(rows: number): number {
    const cost = this.#lease.engine?.cost;
    return cost === undefined ? 0 : cost.perRunMs + rows * cost.perRowMs;
  }

  predict(inputs: Tensors, context: PredictContext): Promise<Prediction> {
    return this.#predictMember(this.#lease, inputs, context);
  }

  dropAborted(): void {
    this.#lease.predictor.dropAborted?.();
  }
}

function otherSignature(before: Signature, now: Signature): AppError {
  const changes = (['inputs', 'outputs'] as const).flatMap((side) => changesOf(side, before[side], now[side]));
  return new AppError('GRAPH_INVALID', {
    message: `With its members as they are now, the graph would be another: ${changes.join('; ')}`,
    received: now,
    expected: before,
  });
}

function changesOf(side: string, before: readonly TensorSpec[], now: readonly TensorSpec[]): string[] {
  const forms = (specs: readonly TensorSpec[]) => new Map(specs.map((spec) => [spec.name, formText(spec)]));
  const [were, are] = [forms(before), forms(now)];
  const changes = [...new Set([...were.keys(), ...are.keys()])].flatMap((name) => {
    const [was, is] = [were.get(name) ?? 'absent', are.get(name) ?? 'absent'];
    return was === is ? [] : [`${side}.${name} is ${was}, and would be ${is}`];
  });
  const isSorted = before.every(({ name }, index) => now[index]?.name === name);
  return changes.length === 0 && !isSorted ? [`${side} would be in another order`] : changes;
}
