import { describe, expect, test } from 'vitest';
import { AppError } from '../../src/errors.ts';
import { uniform } from '../../src/models/traffic/rendezvous.ts';
import type { CallTerms } from '../../src/serving/call-terms.ts';
import type { DecodableInference, PredictionRecorder, ShadowRecord } from '../../src/serving/infer.ts';
import { float32 } from '../../src/tensor/tensor.ts';
import { type FakeVersion, type GraphRepositoryOptions, graphRepository, multiplied } from './graph-repository.ts';

const by = (user: string) => ({ headers: { get: (name: string) => (name === 'x-user-id' ? user : undefined) } });

/** A model `a` whose version 2 answers, and whose version 3 gets copies. */
async function shadowed(
  { primary = {}, shadow = {} }: { readonly primary?: FakeVersion; readonly shadow?: FakeVersion } = {},
  settings: object = {},
  options: GraphRepositoryOptions = {},
) {
  const repository = await graphRepository(options);
  const traffic = { shadow: { version: 3, ...settings }, stick: ['header:x-user-id'] };
  await repository.manifest('a', { traffic });
  await repository.model('a', '1', { factor: 9 });
  await repository.model('a', '2', { factor: 2, ...primary });
  await repository.model('a', '3', { factor: 2, ...shadow });
  await repository.sync();
  return repository;
}

type Repository = Awaited<ReturnType<typeof shadowed>>;

/** What became of the copies, as far as anything did. */
function outcomes({ counters }: Repository): object {
  const counted = counters.shadow('a', '3').outcomes;
  return Object.fromEntries(Object.entries(counted).filter(([, count]) => count > 0));
}

const asked = (repository: Repository, version: string) => repository.predictor('a', version)?.asked ?? [];

describe('a shadow', () => {
  test('is loaded beside the version that answers, whatever its number, and answers nobody', async () => {
    await using repository = await shadowed({ shadow: { factor: 5 } });
    expect(repository.state('a')).toEqual(['3 READY', '2 READY']);
    expect(await repository.ask('a')).toEqual([2, 4, 6, 8]);
    expect(repository.registry.find('a')?.served?.version).toBe('2');
    expect(repository.logged).toEqual([]);
  });

  test.each([
    { versionPolicy: { latest: 2 }, state: ['3 READY', '2 READY', '1 READY'], served: '2' },
    { versionPolicy: 'all', state: ['3 READY', '2 READY', '1 READY'], served: '2' },
    { versionPolicy: { specific: [1, 3] }, state: ['3 READY', '1 READY'], served: '1' },
  ])('answers nobody whatever the policy is: $versionPolicy', async ({ versionPolicy, state, served }) => {
    await using repository = await shadowed();
    await repository.manifest('a', { versionPolicy, traffic: { shadow: { version: 3 } } });
    await repository.sync();
    expect(repository.state('a')).toEqual(state);
    expect(repository.registry.find('a')?.served?.version).toBe(served);
    await repository.ask('a');
    await repository.clock.advance(0);
    expect(asked(repository, '3')).toHaveLength(1);
    expect(asked(repository, served)).toHaveLength(1);
  });

  test('of a split gets copies of what the others answer, and none of its own', async () => {
    await using repository = await shadowed();
    const traffic = { shadow: { version: 3 }, split: { 2: 1, 3: 1 }, stick: ['header:x-user-id'] };
    await repository.manifest('a', { traffic });
    await repository.sync();
    for (let user = 0; user < 50; user += 1) await repository.ask('a', by(`user-${user}`));
    const own = asked(repository, '3').length;
    expect(own).toBeGreaterThan(10);
    await repository.clock.advance(0);
    expect(asked(repository, '3')).toHaveLength(own + asked(repository, '2').length);
    expect(asked(repository, '3')).toHaveLength(50);
  });

  test('begins after the answer, behind every other priority, with a deadline of its own and the same inputs', async () => {
    await using repository = await shadowed();
    await repository.ask('a', { ...by('alice'), timeoutMs: 5, requestId: 'r1' });
    expect(asked(repository, '3')).toEqual([]);
    await repository.clock.advance(0);
    const [copy, ...others] = asked(repository, '3');
    expect(others).toEqual([]);
    expect(copy?.inputs).toEqual({ x: float32([2, 2], [1, 2, 3, 4]) });
    expect(copy?.context).toMatchObject({
      requestId: 'r1',
      priority: 'background',
      bypassesCache: true,
      deadlineMs: 30_000,
    });
    expect(outcomes(repository)).toEqual({ agree: 1 });
  });

  test('has a copy of its own: what becomes of the memory of the request is nothing to it', async () => {
    await using repository = await shadowed();
    const x = float32([1, 2], [7, 8]);
    const { signal } = new AbortController();
    await repository.infer(
      { model: 'a', requestId: 'r', signal },
      () => ({ x }),
      () => undefined,
    );
    if (x.datatype === 'FP32') x.data.fill(0);
    await repository.clock.advance(0);
    expect(asked(repository, '3')[0]?.inputs).toEqual({ x: float32([1, 2], [7, 8]) });
  });

  test.each([
    { factor: 2, outcome: 'agree' },
    { factor: 2.001, outcome: 'agree' },
    { factor: 2.01, outcome: 'disagree' },
  ])('that multiplies by $factor and not by 2 is counted as $outcome', async ({ factor, outcome }) => {
    await using repository = await shadowed({ shadow: { factor } });
    await repository.ask('a');
    await repository.clock.advance(0);
    expect(outcomes(repository)).toEqual({ [outcome]: 1 });
  });

  test('gets its share of the requests, and which ones can be computed from who asks', async () => {
    await using repository = await shadowed({}, { share: 0.2 });
    const users = Array.from({ length: 200 }, (_, index) => `user-${index}`);
    const chosen = users.filter((user) => uniform('a', user, 'shadow 3') < 0.2);
    for (const user of users) await repository.ask('a', { ...by(user), requestId: user });
    await repository.clock.advance(0);
    expect(asked(repository, '3').map(({ context }) => context.requestId)).toEqual(chosen);
    expect(chosen.length).toBeGreaterThan(20);
    expect(chosen.length).toBeLessThan(60);
  });

  test('gets nothing of requests that name a version, and of steps of graphs', async () => {
    await using repository = await shadowed();
    await repository.graph('g', { steps: [{ name: 's', model: 'a' }] });
    await repository.sync();
    await repository.ask('g', by('alice'));
    const { signal } = new AbortController();
    const encode = () => ({ x: float32([1, 2], [1, 2]) });
    await repository.infer({ model: 'a', version: '2', requestId: 'r', signal }, encode, () => undefined);
    await repository.clock.advance(1000);
    expect(asked(repository, '2')).toHaveLength(2);
    expect(asked(repository, '3')).toEqual([]);
    expect(outcomes(repository)).toEqual({});
  });

  test('gets nothing of what its primary could not answer', async () => {
    const error = new AppError('MODEL_REFUSED_INPUT', { message: 'no' });
    await using repository = await shadowed({ primary: { outcome: () => ({ error }) } });
    await expect(repository.ask('a')).rejects.toMatchObject({ code: 'MODEL_REFUSED_INPUT' });
    await repository.clock.advance(1000);
    expect(asked(repository, '3')).toEqual([]);
  });

  test('is asked for the outputs that the client wanted', async () => {
    await using repository = await shadowed();
    const { signal } = new AbortController();
    const encode = () => ({ x: float32([1, 2], [1, 2]) });
    await repository.infer({ model: 'a', outputs: ['y'], requestId: 'r', signal }, encode, () => undefined);
    await repository.clock.advance(0);
    expect(asked(repository, '3')[0]?.context.outputs).toEqual(['y']);
  });
});

describe('everything goes before the runners of a version', () => {
  const isBackground = ({ registry }: Repository, version: string) =>
    registry.find('a')?.versions.find((loaded) => loaded.version === version)?.isBackground;

  test('that is a shadow alone, until somebody asks for it by number', async () => {
    await using repository = await shadowed();
    expect([isBackground(repository, '2'), isBackground(repository, '3')]).toEqual([false, true]);
    await repository.ask('a');
    await repository.clock.advance(0);
    expect(isBackground(repository, '3')).toBe(true);
    repository.registry.acquire('a', '3').release();
    await repository.until(() => isBackground(repository, '3') === false);
    await repository.ask('a');
    await repository.clock.advance(0);
    expect(outcomes(repository)).toEqual({ agree: 2 });
  });

  test('until it gets requests of a split', async () => {
    await using repository = await shadowed();
    await repository.manifest('a', { traffic: { shadow: { version: 3 }, split: { 2: 1, 3: 1 } } });
    await repository.sync();
    expect(isBackground(repository, '3')).toBe(false);
    expect(repository.logged).toEqual([]);
  });

  test('but for the only version that there is, which answers', async () => {
    await using repository = await graphRepository();
    await repository.manifest('a', { traffic: { shadow: { version: 3 } } });
    await repository.model('a', '3', { factor: 2 });
    await repository.sync();
    expect(isBackground(repository, '3')).toBe(false);
    expect(await repository.ask('a')).toEqual([2, 4, 6, 8]);
    expect(repository.logged.map(({ fields }) => fields)).toEqual([
      { model: 'a', reason: 'version 3 answers the requests itself' },
    ]);
  });
});

describe('the shadow of a request of several runs', () => {
  const { signal } = new AbortController();
  const rows = (values: readonly number[]) => ({ x: float32([values.length / 2, 2], values) });

  test('gets all of them, one after the other, and decodes them as they were', async () => {
    const records: ShadowRecord[] = [];
    const recorder: PredictionRecorder = {
      recordAnswer: () => '01a22425-c4ee-7d3a-8e87-063fda406074',
      recordFailure: () => {},
      recordShadow: (record) => void records.push(record),
    };
    await using repository = await shadowed({ shadow: { factor: 3 } }, {}, { recorder });
    const grouped = {
      rowsAreInstances: true,
      encode: async () => [
        { inputs: rows([1, 2]), instances: [1] },
        { inputs: rows([3, 4, 5, 6]), instances: [0, 2] },
      ],
    };
    const decode = ({ runs = [], groups }: DecodableInference) => [groups, runs.map(({ y }) => [...(y?.data ?? [])])];
    await repository.infer(
      { model: 'a', requestId: 'r', signal, grouped, typed: { domain: 'words', instances: ['a', 'b', 'c'] } },
      () => rows([]),
      decode,
    );
    await repository.clock.advance(0);
    expect(asked(repository, '3').map(({ inputs }) => inputs)).toEqual([rows([1, 2]), rows([3, 4, 5, 6])]);
    expect(outcomes(repository)).toEqual({ disagree: 1 });
    expect(records).toMatchObject([
      { of: '01a22425-c4ee-7d3a-8e87-063fda406074', domain: 'words', instances: 3, model: { version: '3' } },
    ]);
    expect(records[0]?.end).toMatchObject({
      results: [
        [[1], [0, 2]],
        [
          [3, 6],
          [9, 12, 15, 18],
        ],
      ],
    });
  });

  test('gets none of them where they are too large together', async () => {
    await using repository = await shadowed({}, { maxBytes: 20 });
    const grouped = {
      rowsAreInstances: true,
      encode: async () => [0, 1, 2].map((index) => ({ inputs: rows([index, index]), instances: [index] })),
    };
    await repository.infer(
      { model: 'a', requestId: 'r', signal, grouped },
      () => rows([]),
      () => undefined,
    );
    await repository.clock.advance(0);
    expect(outcomes(repository)).toEqual({ dropped_size: 1 });
  });

  test('counts the instances, which decoding holds on to, where results are kept', async () => {
    const recorder: PredictionRecorder = {
      recordAnswer: () => '01a22425-c4ee-7d3a-8e87-063fda406074',
      recordFailure: () => {},
      recordShadow: () => {},
    };
    const typed = { domain: 'pictures', instances: [{ image: new Uint8Array(1000) }] };
    const ask = async (options: GraphRepositoryOptions) => {
      await using repository = await shadowed({}, { maxBytes: 500 }, options);
      await repository.infer(
        { model: 'a', requestId: 'r', signal, typed },
        () => rows([1, 2]),
        () => [],
      );
      await repository.clock.advance(0);
      return outcomes(repository);
    };
    expect(await ask({ recorder })).toEqual({ dropped_size: 1 });
    expect(await ask({})).toEqual({ agree: 1 });
  });
});

describe('what a shadow does not get', () => {
  test('is inputs that are too large', async () => {
    await using repository = await shadowed({}, { maxBytes: 15 });
    expect(await repository.ask('a')).toEqual([2, 4, 6, 8]);
    await repository.clock.advance(0);
    expect(outcomes(repository)).toEqual({ dropped_size: 1 });
    expect(repository.shadows.inFlight).toBe(0);
  });

  test('is anything while rows wait for the version that answers', async () => {
    await using repository = await shadowed({ primary: { queueRows: 1 } });
    await repository.ask('a');
    await repository.clock.advance(0);
    expect(outcomes(repository)).toEqual({ dropped_busy: 1 });
  });

  test('is anything while the server drains', async () => {
    await using repository = await shadowed();
    repository.readiness.drain();
    expect(await repository.ask('a')).toEqual([2, 4, 6, 8]);
    await repository.clock.advance(0);
    expect(asked(repository, '3')).toEqual([]);
    expect(outcomes(repository)).toEqual({ dropped_busy: 1 });
  });

  test('is more at the same time than the setting lets it have', async () => {
    const slow: FakeVersion = { outcome: ({ x }) => ({ outputs: multiplied(x, 2), afterMs: 1000 }) };
    await using repository = await shadowed({ shadow: slow }, {}, { maxInFlight: 3 });
    for (let request = 0; request < 5; request += 1) await repository.ask('a');
    await repository.clock.advance(500);
    expect(repository.shadows.inFlight).toBe(3);
    expect(outcomes(repository)).toEqual({ dropped_busy: 2 });
    await repository.clock.advance(1000);
    expect(repository.shadows.inFlight).toBe(0);
    await repository.ask('a');
    await repository.clock.advance(1000);
    expect(outcomes(repository)).toEqual({ dropped_busy: 2, agree: 4 });
  });

  test('is anything where its signature differs, which the log says', async () => {
    const wide = [{ name: 'x', datatype: 'FP32' as const, shape: [-1, 3] }];
    const signature = { inputs: wide, outputs: [{ name: 'y', datatype: 'FP32' as const, shape: [-1, 3] }] };
    await using repository = await shadowed({ shadow: { signature } });
    expect(await repository.ask('a')).toEqual([2, 4, 6, 8]);
    await repository.clock.advance(0);
    expect(outcomes(repository)).toEqual({});
    expect(repository.logged).toEqual([
      {
        message: 'The shadow gets no copies of requests',
        fields: { model: 'a', reason: 'version 3 has other inputs or outputs than version 2' },
      },
    ]);
  });
});

describe('a primary', () => {
  const hangs: FakeVersion = { outcome: ({ x }) => ({ outputs: multiplied(x, 2), afterMs: 1e9 }) };
  const crashes: FakeVersion = { outcome: () => ({ error: new AppError('RUNNER_DIED', { message: 'gone' }) }) };
  const throws: FakeVersion = {
    outcome: () => {
      throw new TypeError('not even an error of the table');
    },
  };
  const slow: FakeVersion = { outcome: ({ x }) => ({ outputs: multiplied(x, 3), afterMs: 500 }) };

  test.each([
    { name: 'hangs', shadow: hangs, counted: { failed: 64, dropped_busy: 936 } },
    { name: 'crashes', shadow: crashes, counted: { failed: 1000 } },
    { name: 'throws', shadow: throws, counted: { failed: 1000 } },
    { name: 'is slow', shadow: slow, counted: { disagree: 64, dropped_busy: 936 } },
  ])(
    'answers 1,000 requests byte for byte as without a shadow that $name, and as soon',
    async ({ name, shadow, counted }) => {
      const answers = async (repository: Repository, terms: Partial<CallTerms> = {}) => {
        const got: Uint8Array[] = [];
        const { signal } = new AbortController();
        for (let request = 0; request < 1000; request += 1) {
          const values = [Math.fround((request + 1) / 7), -request];
          const requestId = `r${request}`;
          const { outputs } = await repository.infer(
            { model: 'a', requestId, signal, ...terms },
            () => ({ x: float32([1, 2], values) }),
            () => undefined,
          );
          const y = outputs['y'];
          if (y?.datatype === 'FP32') got.push(new Uint8Array(y.data.slice().buffer));
          // The shadow begins in between, where it is not waited for.
          if (name === 'crashes' || name === 'throws') await repository.clock.advance(0);
        }
        expect(repository.clock.now()).toBe(0);
        return Buffer.concat(got);
      };
      await using without = await shadowed({}, { share: 0 });
      await using repository = await shadowed({ shadow });
      const expected = await answers(without);
      expect(expected).toHaveLength(8000);
      expect((await answers(repository)).equals(expected)).toBe(true);
      await repository.clock.advance(60_000);
      expect(outcomes(repository)).toEqual(counted);
      expect(repository.shadows.inFlight).toBe(0);
      expect(await repository.ask('a')).toEqual([2, 4, 6, 8]);
    },
  );

  test('of a shadow that is gone goes on', async () => {
    await using repository = await shadowed();
    await repository.ask('a');
    await repository.registry.unload('a');
    await repository.clock.advance(0);
    expect(outcomes(repository)).toEqual({ failed: 1 });
  });
});

test('the end of the server ends shadows that are under way, and counts none of them', async () => {
  const hangs: FakeVersion = { outcome: ({ x }) => ({ outputs: multiplied(x, 2), afterMs: 1e9 }) };
  await using repository = await shadowed({ shadow: hangs });
  await repository.ask('a');
  await repository.clock.advance(10);
  expect(repository.shadows.inFlight).toBe(1);
  repository.shadows.close();
  await repository.registry.close();
  expect(repository.shadows.inFlight).toBe(0);
  expect(outcomes(repository)).toEqual({});
});
