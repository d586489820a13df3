import { describe, expect, it } from 'vitest';
import type { PredictContext, Predictor } from '../../src/inference/predictor.ts';
import { float32, type Tensors } from '../../src/tensor/tensor.ts';
import { systemClock } from '../../src/timing/clock.ts';

/** A predictor of the input `x` FP32 [-1, 2] and the output `y` of the same shape, of independent rows, and how to be done with it. */
export interface ContractSubject extends AsyncDisposable {
  readonly predictor: Predictor;
}

const rowsOf = (values: readonly number[]) => float32([values.length / 2, 2], values);

function context(overrides: Partial<PredictContext> = {}): PredictContext {
  return {
    requestId: 'contract',
    signal: new AbortController().signal,
    deadlineMs: systemClock.now() + 20_000,
    arrivedAt: Date.now(),
    ...overrides,
  };
}

/** What holds for every predictor. */
export function describePredictor(name: string, open: () => Promise<ContractSubject>): void {
  describe(`${name}, as a predictor`, () => {
    const ask = async ({ predictor }: ContractSubject, inputs: Tensors, overrides: Partial<PredictContext> = {}) =>
      predictor.predict(inputs, context(overrides));

    it('says what it takes and gives, and that it is well', async () => {
      await using subject = await open();
      expect(subject.predictor.signature).toMatchObject({
        inputs: [{ name: 'x', datatype: 'FP32', shape: [-1, 2] }],
        outputs: [{ name: 'y', datatype: 'FP32', shape: [-1, 2] }],
      });
      expect(subject.predictor.independentRows).toBe(true);
      expect(subject.predictor.health).toEqual({ ready: true });
    });

    it('gives each of many requests at once what it gives it alone', async () => {
      await using subject = await open();
      const requests = Array.from({ length: 20 }, (_, index) => rowsOf([index, -index, index + 1, 0.5]));
      const alone: Tensors[] = [];
      for (const x of requests) alone.push((await ask(subject, { x })).outputs);
      const atOnce = await Promise.all(requests.map((x) => ask(subject, { x })));
      expect(atOnce.map(({ outputs }) => outputs)).toEqual(alone);
    });

    it('answers no rows by no rows', async () => {
      await using subject = await open();
      const { outputs } = await ask(subject, { x: float32([0, 2], []) });
      expect(outputs['y']?.shape).toEqual([0, 2]);
    });

    it('has parts of its time that sum to no more than it took', async () => {
      await using subject = await open();
      const startedMs = systemClock.now();
      const { timings } = await ask(subject, { x: rowsOf(Array.from({ length: 400 }, (_, index) => index)) });
      const { queueMs, batchMs, inferMs } = timings;
      for (const part of [queueMs, batchMs, inferMs]) expect(part).toBeGreaterThanOrEqual(0);
      // The runner has a clock of its own, and counts whole microseconds.
      expect(queueMs + batchMs + inferMs).toBeLessThanOrEqual(systemClock.now() - startedMs + 0.01);
    });

    it('gives only the outputs that are wanted, and refuses unknown ones', async () => {
      await using subject = await open();
      const { outputs } = await ask(subject, { x: rowsOf([1, 2]) }, { outputs: ['y'] });
      expect(Object.keys(outputs)).toEqual(['y']);
      await expect(ask(subject, { x: rowsOf([1, 2]) }, { outputs: ['z'] })).rejects.toMatchObject({
        code: 'SIGNATURE_MISMATCH',
      });
    });

    it('refuses inputs that do not fit its signature', async () => {
      await using subject = await open();
      for (const inputs of [{}, { x: float32([1, 3], [1, 2, 3]) }, { x: rowsOf([1, 2]), other: rowsOf([1, 2]) }]) {
        await expect(ask(subject, inputs)).rejects.toMatchObject({ code: 'SIGNATURE_MISMATCH' });
      }
    });

    it('does nothing for a client that is gone, or past the deadline', async () => {
      await using subject = await open();
      const gone = AbortSignal.abort();
      await expect(ask(subject, { x: rowsOf([1, 2]) }, { signal: gone })).rejects.toMatchObject({
        code: 'CLIENT_GONE',
      });
      const late = ask(subject, { x: rowsOf([1, 2]) }, { deadlineMs: systemClock.now() - 1 });
      await expect(late).rejects.toMatchObject({ kind: expect.stringMatching(/timeout|overloaded/) });
    });

    it('answers what it has taken before it is closed, and then takes nothing', async () => {
      await using subject = await open();
      const before = ask(subject, { x: rowsOf([1, 2]) });
      await subject.predictor.close();
      await expect(before).resolves.toHaveProperty('outputs.y');
      await expect(ask(subject, { x: rowsOf([1, 2]) })).rejects.toMatchObject({ code: 'SHUTTING_DOWN' });
    });
  });
}
