import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { AppError } from '../../../src/errors.ts';
import { Batcher, type BatcherOptions } from '../../../src/inference/batcher/batcher.ts';
import { levelOf, type Priority } from '../../../src/inference/priority.ts';
import { float32, type Tensor } from '../../../src/tensor/tensor.ts';
import { VirtualClock } from '../../virtual-clock.ts';
import { type RecordedRun, VirtualRunner, type VirtualRunnerOptions } from './virtual-runner.ts';

interface Request {
  readonly atMs: number;
  readonly rows: number;
  readonly timeoutMs: number;
  readonly group: string | undefined;
  readonly priority: Priority;
  /** When the client goes away, if it does. */
  readonly goneAtMs: number | undefined;
  readonly fate: 'fine' | 'poison' | 'deadly' | 'crashing';
}

interface World {
  readonly options: BatcherOptions;
  readonly runner: Pick<VirtualRunnerOptions, 'perRowMs' | 'perRunMs'>;
  readonly instances: number;
  readonly requests: readonly Request[];
}

interface Answer {
  readonly atMs: number;
  readonly outputs?: readonly Tensor[];
  readonly error?: AppError;
}

const maxSize = 8;

const request: fc.Arbitrary<Request> = fc.record({
  atMs: fc.integer({ min: 0, max: 300 }),
  rows: fc.integer({ min: 1, max: maxSize }),
  timeoutMs: fc.oneof(fc.integer({ min: 1, max: 60 }), fc.constant(1_000), fc.constant(100_000)),
  group: fc.constantFrom('a', 'b', undefined),
  priority: fc.constantFrom<Priority[]>(0, 0, 0, 1, 7, 'background', 'background'),
  goneAtMs: fc.option(fc.integer({ min: 0, max: 400 }), { nil: undefined, freq: 4 }),
  fate: fc.oneof(
    { arbitrary: fc.constant('fine' as const), weight: 12 },
    { arbitrary: fc.constant('poison' as const), weight: 1 },
    { arbitrary: fc.constant('deadly' as const), weight: 1 },
    { arbitrary: fc.constant('crashing' as const), weight: 1 },
  ),
});

const world: fc.Arbitrary<World> = fc.record({
  options: fc.record({
    maxSize: fc.constant(maxSize),
    maxDelayMs: fc.constantFrom(0, 0, 5, 30),
    maxQueueRows: fc.integer({ min: maxSize, max: 40 }),
    maxQueueBytes: fc.constantFrom(64, 1_000_000),
  }),
  runner: fc.record({ perRowMs: fc.integer({ min: 0, max: 5 }), perRunMs: fc.integer({ min: 1, max: 20 }) }),
  instances: fc.integer({ min: 1, max: 3 }),
  requests: fc.array(request, { maxLength: 60 }),
});

/** The rows of request `index` hold its own numbers, by which they are recognised in a run and in an answer. */
function valuesOf(index: number, rows: number): number[] {
  return Array.from({ length: rows }, (_, row) => index * maxSize + row);
}

/** Lets the requests of a world come, and gives every answer that each got and every run that was made. */
async function play({ options, runner, instances, requests }: World) {
  const clock = new VirtualClock();
  const valuesWith = (fate: Request['fate']) =>
    new Set(requests.flatMap((request, i) => (request.fate === fate ? valuesOf(i, request.rows) : [])));
  const runnerOptions = {
    ...runner,
    poison: valuesWith('poison'),
    deadly: valuesWith('deadly'),
    crashing: valuesWith('crashing'),
    restartMs: 15,
  };
  const runners = Array.from({ length: instances }, () => new VirtualRunner(clock, runnerOptions));
  const batcher = new Batcher(options, {
    clock,
    executors: runners,
    defer: (callback) => void clock.setTimer(0, callback),
  });
  for (const one of runners) one.onAccepts = () => batcher.wake();

  const answers = requests.map((): Answer[] => []);
  const queueSizes: { rows: number; bytes: number; backgroundRows: number }[] = [];
  for (const [index, { atMs, rows, timeoutMs, group, priority, goneAtMs }] of requests.entries()) {
    const abort = new AbortController();
    clock.setTimer(atMs, () => {
      const answer = (rest: Omit<Answer, 'atMs'>) => answers[index]?.push({ atMs: clock.now(), ...rest });
      batcher.submit({
        inputs: [float32([rows], valuesOf(index, rows))],
        outputs: [0],
        group,
        rows,
        bytes: 4 * rows,
        level: levelOf(priority),
        deadlineMs: atMs + timeoutMs,
        signal: abort.signal,
        resolve: ({ outputs }) => answer({ outputs }),
        reject: (error) => answer({ error }),
      });
      const { queueRows, queueBytes, backgroundRows } = batcher;
      queueSizes.push({ rows: queueRows, bytes: queueBytes, backgroundRows });
    });
    if (goneAtMs !== undefined) clock.setTimer(goneAtMs, () => abort.abort());
  }
  await clock.advanceTo(500);
  let closed = false;
  void batcher.close().then(() => {
    closed = true;
  });
  await clock.advanceTo(200_000);
  return { answers, runs: runners.flatMap(({ runs }) => runs), queueSizes, closed };
}

/** The request that a row belongs to. */
const ownerOf = (value: number) => Math.floor(value / maxSize);

function uniqueOwners(values: readonly number[]): number[] {
  return [...new Set(values.map(ownerOf))];
}

/** Whether a runner ends in a run of the request. */
const endsRunner = ({ fate }: Request) => fate === 'deadly' || fate === 'crashing';

/** The indexes of the requests in the order of arrival, or first in that order. */
function inOrder(requests: readonly Request[], first = (_a: number, _b: number) => 0): number[] {
  const atMs = (index: number) => requests[index]?.atMs ?? 0;
  return requests.map((_, index) => index).sort((a, b) => first(a, b) || atMs(a) - atMs(b));
}

const byLevel = (requests: readonly Request[]) => (a: number, b: number) =>
  levelOf(requests[a]?.priority) - levelOf(requests[b]?.priority);

/** When each request was first given to a runner. */
function whenSent(runs: readonly RecordedRun[]): Map<number, number> {
  const sentMs = new Map<number, number>();
  for (const run of runs) {
    for (const owner of uniqueOwners(run.values)) {
      sentMs.set(owner, Math.min(run.sentMs, sentMs.get(owner) ?? run.sentMs));
    }
  }
  return sentMs;
}

/** Checks one law on random worlds. */
function always(law: (world: World, outcome: Awaited<ReturnType<typeof play>>) => void, runs = 150) {
  return fc.assert(
    fc.asyncProperty(world, async (drawn) => law(drawn, await play(drawn))),
    { numRuns: runs },
  );
}

describe('for random arrivals, failures and aborts, the batcher', () => {
  test('answers every request exactly once', () =>
    always((_, { answers, closed }) => {
      for (const given of answers) expect(given).toHaveLength(1);
      expect(closed).toBe(true);
    }));

  test('gives every request its own rows, and an answer only to those that are not at fault', () =>
    always(({ requests }, { answers }) => {
      for (const [index, { rows, fate }] of requests.entries()) {
        const outputs = answers[index]?.[0]?.outputs;
        if (outputs === undefined) continue;
        expect(fate).toBe('fine');
        expect(outputs).toHaveLength(1);
        expect(outputs[0]?.shape).toEqual([rows]);
        expect([...(outputs[0]?.data ?? [])]).toEqual(valuesOf(index, rows).map((value) => 2 * value));
      }
    }));

  test('blames the model only on the request that it refused, in its own words', () =>
    always(({ requests }, { answers }) => {
      for (const [index, { fate }] of requests.entries()) {
        const error = answers[index]?.[0]?.error;
        if (error?.code !== 'MODEL_REFUSED_INPUT') continue;
        expect(fate).toBe('poison');
        expect(error.message).toContain('is poison');
      }
    }));

  test('blames a crash only on the request that crashed its runner alone, after three runners at most', () =>
    always(({ requests }, { answers, runs }) => {
      for (const [index, { fate }] of requests.entries()) {
        const code = answers[index]?.[0]?.error?.code;
        if (code === 'INPUT_KILLED_RUNNER') expect(fate).toBe('crashing');
        if (!requests.some((other) => other.fate === 'deadly')) expect(code).not.toBe('RUNNER_DIED');
        if (fate !== 'crashing') continue;
        expect(runs.filter(({ values }) => uniqueOwners(values).includes(index)).length).toBeLessThanOrEqual(3);
      }
    }));

  test('answers at the deadline at the latest, and never with outputs after it', () =>
    always(({ requests }, { answers }) => {
      for (const [index, { atMs, timeoutMs }] of requests.entries()) {
        const answer = answers[index]?.[0];
        const deadlineMs = atMs + timeoutMs;
        expect(answer?.atMs).toBeLessThanOrEqual(deadlineMs);
        if (answer?.error?.code === 'DEADLINE_EXCEEDED') expect(answer.atMs).toBe(deadlineMs);
      }
    }));

  test('keeps the limits of the run and of the queue', () =>
    always(({ options, requests }, { runs, queueSizes }) => {
      for (const { rows, values } of runs) {
        expect(rows).toBe(values.length);
        expect(rows).toBeLessThanOrEqual(options.maxSize);
        const groups = new Set(uniqueOwners(values).map((owner) => requests[owner]?.group));
        expect(groups.size).toBe(1);
        if (groups.has(undefined)) expect(uniqueOwners(values)).toHaveLength(1);
      }
      for (const { rows, bytes, backgroundRows } of queueSizes) {
        expect(backgroundRows).toBeLessThanOrEqual(options.maxQueueRows);
        expect(rows).toBeLessThanOrEqual(options.maxQueueRows);
        expect(bytes).toBeLessThanOrEqual(options.maxQueueBytes);
      }
    }));

  test('keeps requests whole, and within a run in the order of priority and arrival', () =>
    always(({ requests }, { runs }) => {
      const place = new Map(inOrder(requests, byLevel(requests)).map((index, i) => [index, i]));
      for (const { values } of runs) {
        const owners = uniqueOwners(values);
        expect(values).toEqual(owners.flatMap((owner) => valuesOf(owner, requests[owner]?.rows ?? 0)));
        const places = owners.map((owner) => place.get(owner) ?? 0);
        expect(places).toEqual(places.toSorted((a, b) => a - b));
      }
    }));

  test('begins the runs of a level of a group in the order of arrival', () =>
    always(({ requests, instances }, { runs }) => {
      const troubled = requests.some(({ fate }) => fate !== 'fine');
      if (instances > 1 || troubled) return;
      const arrival = inOrder(requests);
      const owners = runs.flatMap(({ values }) => uniqueOwners(values));
      const kindOf = (owner: number) => `${requests[owner]?.group} ${requests[owner]?.priority}`;
      for (const kind of new Set(owners.map(kindOf))) {
        const ofKind = owners.filter((owner) => kindOf(owner) === kind);
        expect(ofKind).toEqual(arrival.filter((index) => ofKind.includes(index)));
      }
    }, 300));

  test('sends nobody of a group before one of a higher level who was there', () =>
    always(({ requests, instances }, { runs }) => {
      const troubled = requests.some(({ fate }) => fate !== 'fine');
      if (instances > 1 || troubled) return;
      const sentMs = whenSent(runs);
      for (const [owner, atMs] of sentMs) {
        for (const [other, otherMs] of sentMs) {
          const [one, two] = [requests[owner] as Request, requests[other] as Request];
          // Who is in the background may use a gap in which others gather for a fuller batch.
          if (one.group !== two.group || one.priority === 'background') continue;
          if (levelOf(two.priority) < levelOf(one.priority) && two.atMs < atMs)
            expect(otherMs).toBeLessThanOrEqual(atMs);
        }
      }
    }, 300));

  test('sends nobody in the background alone while someone else waits, unless for a fuller batch', () =>
    always(({ requests, options }, { runs, answers }) => {
      // Who was given ahead to a runner that then dies seems to wait all the time.
      if (options.maxDelayMs > 0 || requests.some(endsRunner)) return;
      const sentMs = whenSent(runs);
      for (const { values, sentMs: atMs } of runs) {
        if (!uniqueOwners(values).every((owner) => requests[owner]?.priority === 'background')) continue;
        for (const [other, { atMs: cameMs, priority }] of requests.entries()) {
          if (priority === 'background' || cameMs >= atMs) continue;
          const leftMs = Math.min(sentMs.get(other) ?? Infinity, answers[other]?.[0]?.atMs ?? Infinity);
          const goneMs = Math.min(leftMs, requests[other]?.goneAtMs ?? Infinity);
          expect(goneMs).toBeLessThanOrEqual(atMs);
        }
      }
    }, 300));

  test('refuses at the door nobody for what is in the background', () =>
    always(({ requests }, { answers, runs }) => {
      // What was given ahead to a runner that then dies is in the way, and in no run.
      if (requests.some(endsRunner)) return;
      const endMs = (owner: number) => {
        const ends = runs.filter(({ values }) => uniqueOwners(values).includes(owner)).map(({ endedMs }) => endedMs);
        return Math.max(answers[owner]?.[0]?.atMs ?? 0, ...ends);
      };
      for (const [index, { atMs, priority }] of requests.entries()) {
        const code = answers[index]?.[0]?.error?.code;
        if (priority === 'background' || (code !== 'QUEUE_FULL' && code !== 'DEADLINE_UNREACHABLE')) continue;
        const isInTheWay = (other: Request, i: number) =>
          i !== index && other.priority !== 'background' && other.atMs <= atMs && endMs(i) >= atMs;
        expect(requests.some(isInTheWay)).toBe(true);
      }
    }, 300));

  test('lets everybody in the background have their turn when the others are done', () =>
    always(({ requests }, { answers }) => {
      if (requests.some(endsRunner)) return;
      for (const [index, { priority, timeoutMs, goneAtMs, fate }] of requests.entries()) {
        if (priority !== 'background' || timeoutMs < 100_000 || goneAtMs !== undefined || fate !== 'fine') continue;
        const { outputs, error } = answers[index]?.[0] ?? {};
        expect(outputs !== undefined || error?.code === 'QUEUE_FULL').toBe(true);
      }
    }));

  test('sends no run for requests that are past their deadline or abandoned', () =>
    always(({ requests }, { runs }) => {
      for (const { values, sentMs } of runs) {
        for (const owner of uniqueOwners(values)) {
          const { atMs, timeoutMs, goneAtMs } = requests[owner] as Request;
          expect(sentMs).toBeLessThan(atMs + timeoutMs);
          if (goneAtMs !== undefined) expect(sentMs).toBeLessThanOrEqual(goneAtMs);
        }
      }
    }));

  test('runs a request again only after a failure', () =>
    always(({ requests }, { runs }) => {
      if (requests.some(({ fate }) => fate !== 'fine')) return;
      const owners = runs.flatMap(({ values }) => uniqueOwners(values));
      expect(new Set(owners).size).toBe(owners.length);
    }, 300));
});
