import type { BoundMember, HeldBinding } from '../../../src/inference/graph/graph-binding.ts';
import type { GraphPlan } from '../../../src/inference/graph/graph-plan.ts';
import type { GraphEvents } from '../../../src/inference/graph/run/graph-events.ts';
import { GraphPredictor } from '../../../src/inference/graph/run/graph-predictor.ts';
import type { PredictContext, Predictor } from '../../../src/inference/predictor.ts';
import { float32, type Tensor, type Tensors } from '../../../src/tensor/tensor.ts';
import type { Clock } from '../../../src/timing/clock.ts';
import { FakePredictor, type FakePredictorOptions, type Outcome } from '../../helpers/fake-predictor.ts';

export interface BoundOptions {
  readonly leastMs?: (rows: number) => number;
  readonly dropAborted?: () => void;
  readonly independentRows?: boolean;
}

export function bound(name: string, predictor: Predictor, options: BoundOptions = {}): BoundMember {
  const { leastMs = () => 0, dropAborted, independentRows = predictor.independentRows } = options;
  return {
    name,
    version: '1',
    independentRows,
    leastMs,
    predict: (inputs, context) => predictor.predict(inputs, context),
    ...(dropAborted !== undefined && { dropAborted }),
  };
}

export interface TestGraph {
  readonly graph: GraphPredictor;
  /** How many bindings are held. */
  held(): number;
}

/** A graph over members, on a clock. */
export function openGraph(
  plan: GraphPlan,
  members: readonly BoundMember[],
  { clock, events }: { clock: Clock; events?: GraphEvents },
): TestGraph {
  let held = 0;
  const hold = (): HeldBinding => {
    held += 1;
    return {
      plan,
      members,
      release: () => {
        held -= 1;
      },
    };
  };
  const graph = new GraphPredictor({
    signature: plan.signature,
    hold,
    health: () => ({ ready: true }),
    independentRows: () => plan.rowWise && members.every(({ independentRows }) => independentRows),
    clock,
    ...(events !== undefined && { events }),
  });
  return { graph, held: () => held };
}

/** A member of `x` FP32 [-1, 2] whose output `y` is each element after a function. */
export function mapping(
  clock: Clock,
  map: (element: number) => number,
  { afterMs = 0, ...options }: Partial<FakePredictorOptions> & { readonly afterMs?: number } = {},
): FakePredictor {
  return new FakePredictor({ clock, outcome: ({ x }) => ({ outputs: mapped(x, map), afterMs }), ...options });
}

/** A member whose predictions all come to the same. */
export function always(clock: Clock, outcome: Outcome): FakePredictor {
  return new FakePredictor({ clock, outcome: () => outcome });
}

function mapped(x: Tensor | undefined, map: (element: number) => number): Tensors {
  const values = x?.datatype === 'FP32' ? x.data : [];
  return { y: float32(x?.shape ?? [0, 2], Array.from(values, map)) };
}

export function asking(clock: Clock, overrides: Partial<PredictContext> = {}): PredictContext {
  return {
    requestId: 'test',
    signal: new AbortController().signal,
    deadlineMs: clock.now() + 60_000,
    arrivedAt: 0,
    ...overrides,
  };
}

/** Rows of two elements as the input `x`. */
export function rowsOf(...values: readonly number[]): { readonly x: Tensor } {
  return { x: float32([values.length / 2, 2], values) };
}

/** How a promise has settled by now. */
export interface Settled<Result> {
  value?: Result;
  error?: unknown;
  done: boolean;
  atMs?: number;
}

/** Watches a promise without waiting for it, so that the clock can go on. */
export function watch<Result>(promise: Promise<Result>, clock: Clock): Settled<Result> {
  const settled: Settled<Result> = { done: false };
  promise.then(
    (value) => Object.assign(settled, { value, done: true, atMs: clock.now() }),
    (error: unknown) => Object.assign(settled, { error, done: true, atMs: clock.now() }),
  );
  return settled;
}
