import { AnswerMemory } from '../../../src/inference/cache/answer-memory.ts';
import type { CacheEvents } from '../../../src/inference/cache/cache-events.ts';
import { CachedPredictor, type CachedPredictorOptions } from '../../../src/inference/cache/cached-predictor.ts';
import type { PredictContext } from '../../../src/inference/predictor.ts';
import { float32, type Tensors } from '../../../src/tensor/tensor.ts';
import type { Clock } from '../../../src/timing/clock.ts';
import { FakePredictor, type FakePredictorOptions, type Outcome } from '../../helpers/fake-predictor.ts';

export interface CacheOptions extends Partial<Omit<CachedPredictorOptions, 'predictor' | 'answers' | 'clock'>> {
  readonly clock: Clock;
  readonly fake?: Omit<FakePredictorOptions, 'clock'>;
  /** @default one of its own */
  readonly memory?: AnswerMemory;
  readonly events?: CacheEvents;
}

/** A cache before a fake that doubles. */
export function openCache({
  clock,
  fake,
  memory = new AnswerMemory(2 ** 20, clock),
  events,
  ...options
}: CacheOptions) {
  const predictor = new FakePredictor({ clock, ...fake });
  const cached = new CachedPredictor({
    model: 'doubling',
    ttlMs: 60_000,
    maxInputBytes: 2 ** 20,
    scope: 'all',
    identity: () => '1',
    ...options,
    predictor,
    answers: memory.open(events),
    clock,
  });
  return { cached, predictor };
}

export function contextOf(clock: Clock, overrides: Partial<PredictContext> = {}): PredictContext {
  return {
    requestId: 'test',
    signal: new AbortController().signal,
    deadlineMs: clock.now() + 10_000,
    arrivedAt: 0,
    ...overrides,
  };
}

/** Headers of a request with that `Cache-Control`. */
export function cacheControl(value: string): Pick<PredictContext, 'headers'> {
  return { headers: { get: (name) => (name === 'cache-control' ? value : undefined) } };
}

/** Rows of two numbers. */
export function rows(...values: readonly (readonly [number, number])[]): Tensors {
  return { x: float32([values.length, 2], values.flat()) };
}

/** The inputs doubled, after a time of the clock. */
export function doubledAfter(afterMs: number): (inputs: Tensors) => Outcome {
  return ({ x }) => {
    const values = x?.datatype === 'FP32' ? x.data : [];
    return {
      afterMs,
      outputs: {
        y: float32(
          x?.shape ?? [0, 2],
          Float32Array.from(values, (value) => 2 * value),
        ),
      },
    };
  };
}
