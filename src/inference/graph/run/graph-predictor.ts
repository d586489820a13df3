import { AppError } from '../../../errors.ts';
import { checkOutputs, checkSignature } from '../../../tensor/check-signature.ts';
import type { Signature, Tensor, Tensors } from '../../../tensor/tensor.ts';
import type { Clock } from '../../../timing/clock.ts';
import { clientGone, deadlineExceeded, secondsUntil, shuttingDown } from '../../batcher/refusals.ts';
import { answerNoRows } from '../../no-rows.ts';
import type { Health, PredictContext, Prediction, Predictor } from '../../predictor.ts';
import { noTimings } from '../../timings.ts';
import type { HeldBinding } from '../graph-binding.ts';
import type { GraphEvents } from './graph-events.ts';
import { GraphRun } from './graph-run.ts';
import { RunPlans } from './plan/run-plans.ts';
import { costsOfSteps } from './plan/step-costs.ts';
import type { RunDependencies, RunRequest } from './run-request.ts';
import { runSequence } from './sequence/sequence-run.ts';
import { UnderWay } from './under-way.ts';

export interface GraphPredictorOptions {
  readonly signature: Signature;
  /**
   * Holds the binding of the moment, to be released by the caller.
   *
   * @throws AppError `MODEL_NOT_READY` that names a member
   */
  readonly hold: (context: Pick<PredictContext, 'requestId' | 'caller' | 'headers'>) => HeldBinding;
  readonly health: () => Health;
  readonly independentRows: () => boolean;
  readonly clock: Clock;
  readonly events?: GraphEvents;
}

/** So long after the last request was let in, one is let in that looks too slow: what a member costs may be learned wrongly. */
const trustCostsForMs = 10_000;

type Arrived = Pick<RunRequest, 'inputs' | 'context' | 'rows' | 'beganMs'>;

/** What is only measured belongs to no request. */
const ofNobody = { requestId: '' };

/** A model made of other models. */
export class GraphPredictor implements Predictor {
  readonly signature: Signature;
  readonly #options: GraphPredictorOptions;
  readonly #dependencies: RunDependencies;
  readonly #plans = new RunPlans();
  readonly #underWay = new UnderWay();
  #letInMs: number;
  #closing = false;

  constructor(options: GraphPredictorOptions) {
    this.signature = options.signature;
    this.#options = options;
    this.#dependencies = { clock: options.clock, events: options.events };
    this.#letInMs = options.clock.now();
  }

  get independentRows(): boolean {
    return this.#options.independentRows();
  }

  get health(): Health {
    return this.#options.health();
  }

  /** @throws AppError also `STEP_MISMATCH`, `QUORUM_NOT_REACHED`, `NO_ROUTE`, and what its members throw, with `step` */
  predict(inputs: Tensors, context: PredictContext): Promise<Prediction> {
    // Not async: the promise of the run is that of the request, and each promise more is seen in the processor time.
    try {
      return this.#begin(inputs, context);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  #begin(inputs: Tensors, context: PredictContext): Promise<Prediction> {
    checkSignature(this.signature, inputs);
    if (context.outputs !== undefined) checkOutputs(this.signature, context.outputs);
    if (this.#closing) throw shuttingDown();
    if (context.signal.aborted) throw clientGone();
    const beganMs = this.#options.clock.now();
    if (beganMs >= context.deadlineMs) throw deadlineExceeded();
    const rows = this.#rowsOf(inputs);
    const none = rows === 0 && this.independentRows ? this.#answerNoRows(inputs, context) : undefined;
    if (none !== undefined) return Promise.resolve({ outputs: none, timings: noTimings });
    const request = this.#admit({ inputs, context, rows, beganMs });
    if (request.plan.inSequence) return runSequence(request, this.#dependencies);
    return new GraphRun(request, this.#dependencies).run();
  }

  /** Holds a binding for the request, which the run gives back. */
  #admit({ inputs, context, rows, beganMs }: Arrived): RunRequest {
    const held = this.#options.hold(context);
    try {
      const plan = this.#plans.of(held.plan, context.outputs);
      const { wholeMs, afterMs } = costsOfSteps(plan, held.members, rows);
      this.#checkDeadline(beganMs, context.deadlineMs, wholeMs);
      const inFlight = this.#underWay.enter(held, context.priority);
      return { plan, held, inputs, context, rows, afterMs, inFlight, beganMs };
    } catch (error) {
      held.release();
      throw error;
    }
  }

  /** What so many rows cost at least, in milliseconds, over the steps that cannot be done without; 0 when it is not known. */
  leastMs(rows: number): number {
    if (!this.health.ready || this.#closing) return 0;
    const held = this.#options.hold(ofNobody);
    try {
      return costsOfSteps(this.#plans.of(held.plan, undefined), held.members, rows).wholeMs;
    } finally {
      held.release();
    }
  }

  dropAborted(): void {
    for (const { members } of this.#underWay.bindings()) for (const member of members) member.dropAborted?.();
  }

  async close(): Promise<void> {
    this.#closing = true;
    await this.#underWay.whenNone();
  }

  #checkDeadline(nowMs: number, deadlineMs: number, leastMs: number): void {
    const finishMs = nowMs + leastMs;
    const isTrusted = nowMs - this.#letInMs < trustCostsForMs;
    if (finishMs <= deadlineMs || !isTrusted) {
      this.#letInMs = nowMs;
      return;
    }
    const [needed, left] = [Math.ceil(leastMs), Math.floor(deadlineMs - nowMs)];
    throw new AppError('DEADLINE_UNREACHABLE', {
      message: `The steps of the graph take at least ${needed} ms, and the deadline is in ${left} ms`,
      retryAfterSeconds: secondsUntil(deadlineMs, finishMs),
    });
  }

  /** The first dimension of the inputs; 1 where none has one. */
  #rowsOf(inputs: Tensors): number {
    for (const { name } of this.signature.inputs) {
      const rows = inputs[name]?.shape[0];
      if (rows !== undefined) return rows;
    }
    return 1;
  }

  #answerNoRows(inputs: Tensors, { outputs: wanted }: PredictContext): Tensors | undefined {
    const { signature } = this;
    const given = signature.inputs.flatMap(({ name }) => inputs[name] ?? []);
    const names = signature.outputs.map(({ name }) => name);
    const indexes = names.flatMap((name, index) => (wanted === undefined || wanted.includes(name) ? [index] : []));
    const tensors = answerNoRows(signature, { inputs: given, outputs: indexes });
    if (tensors === undefined) return undefined;
    const named: Record<string, Tensor> = Object.create(null);
    for (const [at, tensor] of tensors.entries()) named[names[indexes[at] ?? 0] ?? ''] = tensor;
    return named;
  }
}
