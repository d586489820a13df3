import { describe, expect, it } from 'vitest';
import { AppError } from '../../src/errors.ts';
import type { Lease } from '../../src/models/registry/lease.ts';
import { type EncodedGroup, runGroups } from '../../src/serving/instance-groups.ts';
import { runSeparately } from '../../src/serving/separate-instances.ts';
import { float32, type Tensors } from '../../src/tensor/tensor.ts';
import { systemClock } from '../../src/timing/clock.ts';
import { FakePredictor, type Outcome } from '../helpers/fake-predictor.ts';

/** A model that refuses rows below 0. */
function refusing(inputs: Tensors): Outcome {
  const values = Array.from(inputs['x']?.data ?? [], Number);
  if (values.some((value) => value < -100)) return { error: new AppError('QUEUE_FULL', { message: 'full' }) };
  if (values.some((value) => value < 0)) {
    return { error: new AppError('MODEL_REFUSED_INPUT', { message: 'below 0' }) };
  }
  return { outputs: { y: float32(inputs['x']?.shape ?? [], values) } };
}

function dependencies() {
  const predictor = new FakePredictor({ clock: systemClock, outcome: refusing });
  const signal = new AbortController().signal;
  const context = { requestId: 'r', signal, deadlineMs: Number.POSITIVE_INFINITY, arrivedAt: 0 };
  // Nothing else of a lease is asked for.
  const lease = { predictor } as unknown as Lease;
  return { predictor, run: { served: {}, lease, context, clock: systemClock } };
}

const rowsOf = (values: readonly number[]) => ({
  x: float32(
    [values.length, 2],
    values.flatMap((value) => [value, 0]),
  ),
});

const groupsOf = (...groups: readonly (readonly [instances: number[], values: number[]])[]): readonly EncodedGroup[] =>
  groups.map(([instances, values]) => ({ instances, inputs: rowsOf(values) }));

const thrownBy = (work: Promise<unknown>) =>
  work.then(
    () => undefined,
    (error: unknown) => (error instanceof AppError ? error : undefined),
  );

describe('instances that run each by itself', () => {
  it('are each named by their index where their content is at fault, whatever the kind of the error', async () => {
    const { run } = dependencies();
    const codes = [undefined, 'UNSUPPORTED_MEDIA_TYPE', undefined, 'PICTURE_TOO_LARGE', 'PICTURE_UNREADABLE'] as const;
    const error = await thrownBy(
      runSeparately(
        {
          count: codes.length,
          encode: (index) => {
            const code = codes[index];
            const faults = [{ location: [0, 'image'], type: 'broken', message: 'broken' }];
            if (code !== undefined) throw new AppError(code, { message: 'broken', faults });
            return rowsOf([1]);
          },
        },
        run,
      ),
    );
    expect(error?.code).toBe('UNSUPPORTED_MEDIA_TYPE');
    expect(error?.faults.map(({ location }) => location)).toEqual([
      [1, 'image'],
      [3, 'image'],
      [4, 'image'],
    ]);
  });
});

describe('instances that run in groups', () => {
  const run = (groups: readonly EncodedGroup[], rowsAreInstances = true) => {
    const { predictor, run: given } = dependencies();
    return { predictor, ran: runGroups({ rowsAreInstances, encode: async () => groups }, given) };
  };

  it('are each named where the model refuses them, also among others of one run', async () => {
    const { ran, predictor } = run(
      groupsOf(
        [
          [0, 2, 3, 5, 6],
          [1, 1, -1, 1, -2],
        ],
        [[1], [-3]],
        [[4], [1]],
      ),
    );
    const error = await thrownBy(ran);
    expect(error).toMatchObject({ code: 'MODEL_REFUSED_INPUT', message: 'instance 1: below 0', faultCount: 3 });
    expect(error?.faults.map(({ location }) => location)).toEqual([[1], [3], [6]]);
    // Three runs, and eight of halves.
    expect(predictor.asked.length).toBeLessThanOrEqual(11);
  });

  it('are named by where they are alone, without a number', async () => {
    const error = await thrownBy(run(groupsOf([[0], [-1]])).ran);
    expect(error).toMatchObject({ message: 'below 0', faults: [{ location: [0] }] });
  });

  it('fail together of what is about none of them', async () => {
    const error = await thrownBy(run(groupsOf([[0], [-1]], [[1], [-101]])).ran);
    expect(error).toMatchObject({ code: 'QUEUE_FULL', faults: [] });
  });

  it('are not named where rows are parts of them', async () => {
    const { ran, predictor } = run(
      groupsOf([
        [0, 1],
        [1, -1],
      ]),
      false,
    );
    expect(await thrownBy(ran)).toMatchObject({ code: 'MODEL_REFUSED_INPUT', faults: [] });
    expect(predictor.asked).toHaveLength(1);
  });
});
