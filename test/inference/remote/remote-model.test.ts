import { describe, expect, it } from 'vitest';
import { AppError } from '../../../src/errors.ts';
import type { PredictContext } from '../../../src/inference/predictor.ts';
import { unreachable } from '../../../src/inference/remote/failures.ts';
import { RemoteFailure } from '../../../src/inference/remote/remote-failure.ts';
import { float32 } from '../../../src/tensor/tensor.ts';
import { VirtualClock } from '../../virtual-clock.ts';
import { doubled, doubling, type FakeTransport, openFakeRemote } from './fake-transport.ts';

const x = float32([1, 2], [1, 2]);
const y = float32([1, 2], [2, 4]);

function asks(clock: VirtualClock, overrides: Partial<PredictContext> & { timeoutMs?: number } = {}): PredictContext {
  const { timeoutMs = 10_000, ...rest } = overrides;
  const signal = new AbortController().signal;
  return { requestId: 'r', signal, deadlineMs: clock.now() + timeoutMs, arrivedAt: 0, ...rest };
}

function allDown(transports: readonly FakeTransport[]): void {
  for (const transport of transports) transport.isDown = true;
}

/** An answer that takes so long on the clock. */
function later(clock: VirtualClock, ms: number) {
  return (call: Parameters<typeof doubled>[0], signal: AbortSignal) =>
    new Promise<ReturnType<typeof doubled>>((resolve, reject) => {
      const cancel = clock.setTimer(ms, () => resolve(doubled(call)));
      signal.addEventListener('abort', () => {
        cancel();
        reject(unreachable('aborted'));
      });
    });
}

describe('a remote model', () => {
  it('answers as its server does, and says what time is left for that', async () => {
    const clock = new VirtualClock();
    const { model, transports, outcomes } = await openFakeRemote({ clock });
    const answer = model.predict({ x }, asks(clock, { priority: 'background', timeoutMs: 500 }));
    await clock.advance(0);
    expect((await answer).outputs).toEqual({ y });
    expect(transports[0]?.calls).toMatchObject([{ requestId: 'r', timeoutMs: 500, priority: 10, outputs: ['y'] }]);
    expect(outcomes).toEqual([['http://server-0:8000', 'ok']]);
  });

  it('leaves out of a trace what cannot be a header', async () => {
    const clock = new VirtualClock();
    const { model, transports } = await openFakeRemote({ clock });
    for (const tracestate of ['a=1', 'a=é']) {
      const answer = model.predict({ x }, asks(clock, { trace: { traceparent: 't', tracestate } }));
      await clock.advance(1);
      await answer;
    }
    expect(transports[0]?.calls.map(({ trace }) => trace)).toEqual([
      { traceparent: 't', tracestate: 'a=1' },
      { traceparent: 't' },
    ]);
  });

  it('has as many requests under way as it may, and bounds those that wait', async () => {
    const clock = new VirtualClock();
    const { model, transports } = await openFakeRemote({ clock, concurrency: 2, maxQueueRows: 3 });
    const [server] = transports;
    if (server !== undefined) server.answer = later(clock, 100);
    const answers = Array.from({ length: 6 }, () =>
      model.predict({ x }, asks(clock)).then(
        () => 'ok',
        ({ code }) => code,
      ),
    );
    await clock.advance(0);
    expect(server?.calls).toHaveLength(2);
    await clock.advance(1000);
    expect((await Promise.all(answers)).toSorted()).toEqual([
      'QUEUE_FULL',
      'QUEUE_FULL',
      'QUEUE_FULL',
      'ok',
      'ok',
      'ok',
    ]);
  });

  it('joins requests only where model.json says so', async () => {
    for (const joins of [true, false]) {
      const clock = new VirtualClock();
      const { model, transports } = await openFakeRemote({ clock, concurrency: 1, joins });
      const answers = Promise.all(Array.from({ length: 4 }, () => model.predict({ x }, asks(clock))));
      await clock.advance(10);
      for (const { outputs } of await answers) expect(outputs).toEqual({ y });
      expect(transports[0]?.calls).toHaveLength(joins ? 1 : 4);
    }
  });

  it('finds the request among joined ones that the server refuses', async () => {
    const clock = new VirtualClock();
    const { model, transports } = await openFakeRemote({ clock, concurrency: 1, joins: true });
    const [server] = transports;
    if (server !== undefined) {
      server.answer = async (call) => {
        const bad = call.inputs[0]?.parts.some(({ data }) => data[0] === 13);
        if (bad) throw new RemoteFailure(new AppError('MODEL_REFUSED_INPUT', { message: 'unlucky' }), 'answered');
        return doubled(call);
      };
    }
    const answers = [1, 13, 3].map((value) =>
      model.predict({ x: float32([1, 2], [value, 0]) }, asks(clock)).then(
        () => 'ok',
        ({ code }) => code,
      ),
    );
    await clock.advance(10);
    expect(await Promise.all(answers)).toEqual(['ok', 'MODEL_REFUSED_INPUT', 'ok']);
  });

  it('ends a request that is late, or whose client is gone', async () => {
    const clock = new VirtualClock();
    const { model, transports, outcomes } = await openFakeRemote({ clock });
    const [server] = transports;
    if (server !== undefined) server.answer = later(clock, 60_000);
    const gone = new AbortController();
    const answers = [asks(clock, { timeoutMs: 100 }), asks(clock, { signal: gone.signal })].map((context) =>
      model.predict({ x }, context).catch(({ code }) => code),
    );
    await clock.advance(50);
    gone.abort();
    await clock.advance(51);
    expect(await Promise.all(answers)).toEqual(['DEADLINE_EXCEEDED', 'CLIENT_GONE']);
    expect(outcomes.map(([, outcome]) => outcome).toSorted()).toEqual(['cancelled', 'timeout']);
  });
});

describe('the servers of a remote model', () => {
  it('take turns, and the one with the fewest requests under way is asked', async () => {
    const clock = new VirtualClock();
    const { model, transports } = await openFakeRemote({ clock, servers: 2 });
    const [slow, fast] = transports;
    if (slow !== undefined) slow.answer = later(clock, 1000);
    for (let count = 0; count < 10; count += 1) {
      void model.predict({ x }, asks(clock)).catch(() => {});
      await clock.advance(1);
    }
    expect(slow?.calls).toHaveLength(1);
    expect(fast?.calls).toHaveLength(9);
  });

  it('answer for one that cannot be reached, which is left alone after five times', async () => {
    const clock = new VirtualClock();
    const { model, report, transports, retried } = await openFakeRemote({ clock, servers: 2 });
    await clock.advance(1);
    const [down, up] = transports;
    if (down !== undefined) down.isDown = true;
    for (let count = 0; count < 20; count += 1) {
      const answer = model.predict({ x }, asks(clock));
      await clock.advance(1);
      expect((await answer).outputs).toEqual({ y });
    }
    expect(down?.calls).toHaveLength(5);
    expect(up?.calls).toHaveLength(20);
    expect(retried).toEqual(new Array(5).fill('http://server-1:8000'));
    expect(report().urls.map((url) => url.up)).toEqual([false, true]);
    expect(model.health).toEqual({ ready: true });
  });

  it('are asked again soon after they are back', async () => {
    const clock = new VirtualClock();
    const { model, transports } = await openFakeRemote({ clock });
    await clock.advance(1);
    const [server] = transports;
    if (server !== undefined) server.isDown = true;
    for (let count = 0; count < 5; count += 1) {
      const answer = model.predict({ x }, asks(clock));
      answer.catch(() => {});
      await clock.advance(1);
      await expect(answer).rejects.toMatchObject({ code: 'REMOTE_UNREACHABLE', retryAfterSeconds: 1 });
    }
    expect(model.health).toMatchObject({
      ready: false,
      elsewhere: true,
      reason: expect.stringContaining('ECONNREFUSED'),
    });
    await clock.advance(60_000);
    const calls = server?.calls.length;
    const refused = model.predict({ x }, asks(clock));
    refused.catch(() => {});
    await clock.advance(0);
    await expect(refused).rejects.toMatchObject({ code: 'REMOTE_UNREACHABLE' });
    expect(server?.calls).toHaveLength(calls ?? -1);
    if (server !== undefined) server.isDown = false;
    await clock.advance(1001);
    expect(model.health).toEqual({ ready: true });
  });

  it('get no request twice once something of an answer has come, and few in all', async () => {
    const clock = new VirtualClock();
    const { model, transports, retried } = await openFakeRemote({ clock, servers: 2 });
    const fail = (reach: 'answered' | 'unreachable') => async () => {
      throw new RemoteFailure(new AppError('REMOTE_FAILED', { message: 'half' }), reach);
    };
    for (const transport of transports) transport.answer = fail('answered');
    const ask = async () => {
      const answer = model.predict({ x }, asks(clock)).catch(({ code }) => code);
      await clock.advance(1);
      return answer;
    };
    expect(await ask()).toBe('REMOTE_FAILED');
    expect(retried).toEqual([]);
    // Every third fails, so that no server is ever left alone.
    let count = 0;
    for (const transport of transports) {
      transport.answer = async (call) => {
        count += 1;
        return count % 3 === 0 ? fail('unreachable')() : doubled(call);
      };
    }
    for (let asked = 0; asked < 300; asked += 1) await ask();
    expect(retried.length).toBeGreaterThan(10);
    expect(retried.length).toBeLessThanOrEqual(10 + 31);
  });

  it('are not asked while their signature is another', async () => {
    const clock = new VirtualClock();
    const { model, transports } = await openFakeRemote({ clock });
    await clock.advance(1);
    const [server] = transports;
    const changed = { ...doubling, inputs: [{ name: 'x', datatype: 'FP64', shape: [-1, 2] }] } as const;
    if (server !== undefined) server.signatureNow = changed;
    await clock.advance(10_000);
    expect(model.health).toEqual({
      ready: false,
      elsewhere: true,
      reason:
        'http://server-0:8000: its signature is not what it was: the input "x" was FP32 [-1,2] and is FP64 [-1,2]',
    });
    const refused = model.predict({ x }, asks(clock));
    refused.catch(() => {});
    await clock.advance(0);
    await expect(refused).rejects.toMatchObject({ code: 'MODEL_NOT_READY' });
    if (server !== undefined) server.signatureNow = doubling;
    await clock.advance(1000);
    expect(model.health).toEqual({ ready: true });
  });

  it('are looked at every ten seconds', async () => {
    const clock = new VirtualClock();
    const { transports } = await openFakeRemote({ clock });
    await clock.advance(1);
    const looks = transports[0]?.looks ?? 0;
    await clock.advance(60_000);
    expect(transports[0]?.looks).toBe(looks + 6);
  });
});

describe('the load of a remote model', () => {
  it('fails while no server can be reached, and says which', async () => {
    const clock = new VirtualClock();
    const opened = openFakeRemote({ clock, servers: 2, prepare: allDown });
    await expect(opened).rejects.toMatchObject({
      code: 'REMOTE_UNREACHABLE',
      message: expect.stringMatching(/server-0:8000: .*ECONNREFUSED.*server-1:8000/),
    });
  });

  it('needs no server where the file says what the model takes and gives', async () => {
    const clock = new VirtualClock();
    const { model } = await openFakeRemote({
      clock,
      withSignature: true,
      prepare: allDown,
    });
    expect(model.signature).toEqual(doubling);
    await clock.advance(1);
    expect(model.health).toMatchObject({ ready: false, elsewhere: true });
  });
});
