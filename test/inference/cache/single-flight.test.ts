import { describe, expect, it } from 'vitest';
import { AppError, toAppError } from '../../../src/errors.ts';
import type { PredictContext, Prediction } from '../../../src/inference/predictor.ts';
import { float32, type Tensors } from '../../../src/tensor/tensor.ts';
import type { Outcome } from '../../helpers/fake-predictor.ts';
import { VirtualClock } from '../../virtual-clock.ts';
import { contextOf, doubledAfter, openCache, rows } from './caches.ts';

/** A cache before a model that takes 100 ms. */
function slow(outcome: (inputs: Tensors, context: PredictContext) => Outcome = doubledAfter(100)) {
  const clock = new VirtualClock();
  const { cached, predictor } = openCache({ clock, fake: { outcome } });
  const ask = (overrides: Partial<PredictContext> = {}, inputs = rows([1, 2])) =>
    cached.predict(inputs, contextOf(clock, overrides));
  return { clock, cached, predictor, ask };
}

/** The code of the error that a prediction ends with, or its answer. */
const endOf = (prediction: Promise<Prediction>) =>
  prediction.then(
    ({ outputs }) => [...(outputs['y']?.data ?? [])].join(),
    (error: unknown) => toAppError(error).code,
  );

describe('equal requests at the same time', () => {
  it('are one run: two hundred of them', async () => {
    const { clock, predictor, ask } = slow();
    const all = Array.from({ length: 200 }, () => ask());
    await clock.advance(100);
    const predictions = await Promise.all(all);
    expect(predictor.asked).toHaveLength(1);
    expect(predictions.map(({ outputs }) => outputs['y'])).toEqual(Array(200).fill(float32([1, 2], [2, 4])));
    expect(new Set(predictions.map(({ outputs }) => outputs['y']?.data)).size).toBe(200);
    expect(predictions[0]?.cache).toMatchObject({ collapsed: 0, stored: 1 });
    expect(predictions[199]?.cache).toMatchObject({ units: 1, hits: 0, collapsed: 1, stored: 0 });
  });

  it('each has parts of its time that sum to no more than it took', async () => {
    const { clock, ask } = slow();
    const first = ask();
    await clock.advance(40);
    const second = ask();
    await clock.advance(60);
    expect((await first).timings).toMatchObject({ inferMs: 100 });
    expect((await second).timings).toMatchObject({ queueMs: 60, inferMs: 0 });
  });

  it('go on when the client of the first has left', async () => {
    const { clock, predictor, ask } = slow();
    const gone = new AbortController();
    const leader = endOf(ask({ signal: gone.signal }));
    const followers = Array.from({ length: 50 }, () => endOf(ask()));
    await clock.advance(50);
    gone.abort();
    await clock.advance(50);
    expect(await leader).toBe('CLIENT_GONE');
    expect(await Promise.all(followers)).toEqual(Array(50).fill('2,4'));
    expect(predictor.asked).toHaveLength(1);
    expect(predictor.asked[0]?.context.signal.aborted).toBe(false);
  });

  it('read the memory of the first until it has settled, and no longer', async () => {
    const { clock, predictor, ask } = slow();
    const gone = new AbortController();
    let hasSettled = false;
    const leader = endOf(ask({ signal: gone.signal })).then((end) => {
      hasSettled = true;
      return end;
    });
    const follower = endOf(ask());
    gone.abort();
    await clock.advance(99);
    expect(hasSettled).toBe(false);
    await clock.advance(1);
    expect([await leader, await follower]).toEqual(['CLIENT_GONE', '2,4']);
    expect(predictor.asked).toHaveLength(1);
  });

  it('settle the first at once where its caller cannot wait: the next leads', async () => {
    const { clock, cached, predictor, ask } = slow();
    const gone = new AbortController();
    const leader = endOf(ask({ signal: gone.signal }));
    const followers = [endOf(ask()), endOf(ask())];
    await clock.advance(50);
    gone.abort();
    cached.dropAborted();
    expect(await leader).toBe('CLIENT_GONE');
    await clock.advance(100);
    expect(await Promise.all(followers)).toEqual(['2,4', '2,4']);
    expect(predictor.asked).toHaveLength(2);
  });

  it('are given up when nobody waits any more', async () => {
    const { clock, predictor, ask } = slow();
    const controllers = [new AbortController(), new AbortController()];
    const ends = controllers.map(({ signal }) => endOf(ask({ signal })));
    await clock.advance(10);
    controllers[0]?.abort();
    expect(predictor.asked[0]?.context.signal.aborted).toBe(false);
    controllers[1]?.abort();
    expect(predictor.asked[0]?.context.signal.aborted).toBe(true);
    expect(await Promise.all(ends)).toEqual(['CLIENT_GONE', 'CLIENT_GONE']);
    // Who comes now does not join what was given up.
    const next = endOf(ask());
    await clock.advance(100);
    expect(await next).toBe('2,4');
    expect(predictor.asked).toHaveLength(2);
  });

  it('keep their own deadlines: the next leads when that of the first has passed', async () => {
    const { clock, predictor, ask } = slow();
    const first = endOf(ask({ deadlineMs: 50 }));
    const short = endOf(ask({ deadlineMs: 20 }));
    const others = [endOf(ask({ deadlineMs: 1000 })), endOf(ask({ deadlineMs: 1000 }))];
    await clock.advance(20);
    expect(await short).toBe('DEADLINE_EXCEEDED');
    await clock.advance(30);
    expect(await first).toBe('DEADLINE_EXCEEDED');
    expect(predictor.asked).toHaveLength(2);
    await clock.advance(100);
    expect(await Promise.all(others)).toEqual(['2,4', '2,4']);
    expect(predictor.asked).toHaveLength(2);
  });

  it('share the error of the run', async () => {
    const error = new AppError('RUNNER_DIED', { message: 'gone', retryAfterSeconds: 1 });
    const { clock, predictor, ask } = slow(() => ({ error, afterMs: 10 }));
    const ends = [ask(), ask(), ask()].map(endOf);
    await clock.advance(10);
    expect(await Promise.all(ends)).toEqual(Array(3).fill('RUNNER_DIED'));
    expect(predictor.asked).toHaveLength(1);
  });

  it('do not wait for one that is less urgent, and wait for one that is more urgent', async () => {
    const { clock, predictor, ask } = slow();
    const background = endOf(ask({ priority: 'background' }));
    await clock.advance(10);
    const urgent = endOf(ask({ priority: 1 }));
    const usual = endOf(ask());
    expect(predictor.asked.map(({ context }) => context.priority)).toEqual(['background', 1]);
    await clock.advance(100);
    expect(await Promise.all([background, urgent, usual])).toEqual(Array(3).fill('2,4'));
    expect(predictor.asked).toHaveLength(2);
  });

  it('of several rows wait for the rows that others run, and run the rest', async () => {
    const { clock, predictor, ask } = slow();
    const first = endOf(ask({}, rows([1, 1], [2, 2])));
    await clock.advance(50);
    const second = ask({}, rows([3, 3], [2, 2], [1, 1]));
    await clock.advance(100);
    expect(await first).toBe('2,2,4,4');
    const { outputs, cache } = await second;
    expect([...(outputs['y']?.data ?? [])]).toEqual([6, 6, 4, 4, 2, 2]);
    expect(cache).toMatchObject({ units: 3, hits: 0, collapsed: 2, stored: 1 });
    expect(predictor.asked.map(({ inputs }) => inputs['x']?.shape[0])).toEqual([2, 1]);
  });

  it('are answered before the predictor is closed', async () => {
    const { clock, cached, ask } = slow();
    const ends = [ask(), ask()].map(endOf);
    const closed = cached.close();
    await clock.advance(100);
    expect(await Promise.all(ends)).toEqual(['2,4', '2,4']);
    await closed;
    expect(await endOf(ask())).toBe('SHUTTING_DOWN');
  });
});
