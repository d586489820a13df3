import { AppError } from '../../src/errors.ts';
import type { Health, PredictContext, Prediction, Predictor } from '../../src/inference/predictor.ts';
import { checkOutputs, checkSignature } from '../../src/tensor/check-signature.ts';
import { float32, type Signature, type Tensors } from '../../src/tensor/tensor.ts';
import type { Clock } from '../../src/timing/clock.ts';

/** What a prediction comes to: outputs after a time of the clock, or an error. */
export type Outcome =
  | { readonly outputs: Tensors; readonly afterMs?: number }
  | { readonly error: AppError; readonly afterMs?: number };

export interface FakePredictorOptions {
  readonly clock: Clock;
  /** @default `x` FP32 [-1, 2] to `y` of the same shape */
  readonly signature?: Signature;
  /** What each prediction comes to, by its inputs. @default the inputs doubled, at once */
  readonly outcome?: (inputs: Tensors, context: PredictContext) => Outcome;
  /** @default true */
  readonly independentRows?: boolean;
}

const rows = [-1, 2];
const doubling: Signature = {
  inputs: [{ name: 'x', datatype: 'FP32', shape: rows }],
  outputs: [{ name: 'y', datatype: 'FP32', shape: rows }],
};

/** A predictor without a model: it keeps the contract of predictors on the clock of the test. */
export class FakePredictor implements Predictor {
  readonly signature: Signature;
  readonly independentRows: boolean;
  health: Health = { ready: true };
  /** Every request that it was given. */
  readonly asked: { readonly inputs: Tensors; readonly context: PredictContext }[] = [];
  readonly #clock: Clock;
  readonly #outcome: (inputs: Tensors, context: PredictContext) => Outcome;
  readonly #underWay = new Set<Promise<unknown>>();
  #closing = false;

  constructor({ clock, signature = doubling, outcome = doubled, independentRows = true }: FakePredictorOptions) {
    this.signature = signature;
    this.independentRows = independentRows;
    this.#clock = clock;
    this.#outcome = outcome;
  }

  get isClosing(): boolean {
    return this.#closing;
  }

  predict(inputs: Tensors, context: PredictContext): Promise<Prediction> {
    const prediction = this.#predict(inputs, context);
    this.#underWay.add(prediction);
    const forget = () => void this.#underWay.delete(prediction);
    prediction.then(forget, forget);
    return prediction;
  }

  async close(): Promise<void> {
    this.#closing = true;
    await Promise.allSettled(this.#underWay);
  }

  async #predict(inputs: Tensors, context: PredictContext): Promise<Prediction> {
    checkSignature(this.signature, inputs);
    if (context.outputs !== undefined) checkOutputs(this.signature, context.outputs);
    if (this.#closing) throw new AppError('SHUTTING_DOWN', { message: 'The predictor is closed' });
    if (context.signal.aborted) throw new AppError('CLIENT_GONE', { message: 'The client is gone' });
    this.asked.push({ inputs, context });
    const outcome = this.#outcome(inputs, context);
    const { afterMs = 0 } = outcome;
    const isLate = this.#clock.now() + afterMs > context.deadlineMs;
    const untilMs = isLate ? context.deadlineMs - this.#clock.now() : afterMs;
    if (untilMs > 0) await this.#wait(untilMs, context.signal);
    if (context.signal.aborted) throw new AppError('CLIENT_GONE', { message: 'The client is gone' });
    if (isLate) throw new AppError('DEADLINE_EXCEEDED', { message: 'The deadline has passed' });
    if ('error' in outcome) throw outcome.error;
    const wanted = context.outputs ?? this.signature.outputs.map(({ name }) => name);
    const outputs = Object.fromEntries(
      wanted.flatMap((name) => (outcome.outputs[name] === undefined ? [] : [[name, outcome.outputs[name]]])),
    );
    return { outputs, timings: { queueMs: 0, batchMs: 0, inferMs: afterMs, batchRows: 1 } };
  }

  #wait(delayMs: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const cancel = this.#clock.setTimer(delayMs, () => {
        signal.removeEventListener('abort', onAbort);
        resolve();
      });
      const onAbort = () => {
        cancel();
        resolve();
      };
      signal.addEventListener('abort', onAbort, { once: true });
    });
  }
}

function doubled({ x }: Tensors): Outcome {
  const values = x?.datatype === 'FP32' ? x.data : [];
  return {
    outputs: {
      y: float32(
        x?.shape ?? [0, 2],
        Float32Array.from(values, (value) => 2 * value),
      ),
    },
  };
}
