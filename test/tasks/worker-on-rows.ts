import { serialize } from 'node:v8';
import { onTestFinished } from 'vitest';
import { TaskWorker, type WorkerDependencies } from '../../src/tasks/worker/task-worker.ts';
import { VirtualClock } from '../virtual-clock.ts';

/** A task that waits. */
interface Row {
  readonly dueAtMs: number;
  /** Another process is changing it, so that claims leave it. */
  isHeld?: boolean;
}

/**
 * A worker on a virtual clock, and the tasks that wait for it. What it would find by polling it finds too late for any test:
 * it polls once an hour. Its tasks run until they are told to end.
 *
 * @param claimMs how long it is from the moment of the database at which a claim looks to its answer
 * @param questionMs the same of the question when the next task is due
 */
export function workerOnRows({ claimMs = 0, questionMs = 0, concurrency = 16 } = {}) {
  const clock = new VirtualClock();
  const rows = new Map<string, Row>();
  const attempts = new Map<string, number>();
  const runs = new Map<string, PromiseWithResolvers<unknown>>();
  const seen = {
    /** Tasks with the times at which they began. */
    begun: [] as (readonly [id: string, atMs: number])[],
    aborted: [] as string[],
    questions: 0,
  };
  const control = {
    lastOnlineMs: Number.NEGATIVE_INFINITY,
    questionsFail: false,
    /** Which claims are the latest ones still. */
    renew: async (ids: readonly string[]) => ids,
  };
  const pass = async (ms: number) => {
    if (ms > 0) await new Promise<void>((resolve) => void clock.setTimer(ms, resolve));
  };
  const repository: WorkerDependencies['repository'] = {
    async claim(limit) {
      const due = [...rows].filter(([, row]) => row.dueAtMs <= clock.now() && row.isHeld !== true).slice(0, limit);
      for (const [id] of due) {
        rows.delete(id);
        attempts.set(id, (attempts.get(id) ?? 0) + 1);
      }
      await pass(claimMs);
      const same = { work: 'work', model: 'm', owner: '', ownerName: '', failures: 0, retries: 9, hasWebhook: false };
      return due.map(([id]) => ({ ...same, id, attempt: attempts.get(id) ?? 0, input: serialize('input') }));
    },
    async nextDueMs() {
      seen.questions += 1;
      const { questionsFail } = control;
      const delaysMs = [...rows.values()].map(({ dueAtMs }) => dueAtMs - clock.now()).filter((ms) => ms > -30_000);
      await pass(questionMs);
      if (questionsFail) throw new Error('no answer');
      return delaysMs.length === 0 ? undefined : Math.min(...delaysMs);
    },
    renew: async (claims) => new Set(await control.renew(claims.map(({ id }) => id))),
    finish: async () => true,
    requeue: async ({ id, delaySeconds }) => void rows.set(id, { dueAtMs: clock.now() + delaySeconds * 1000 }),
    values: { read: async () => serialize('input') },
  };
  const work = {
    name: 'work',
    async run(_input: unknown, { requestId, signal }: { readonly requestId: string; readonly signal: AbortSignal }) {
      seen.begun.push([requestId, clock.now()]);
      const end = Promise.withResolvers<unknown>();
      runs.set(requestId, end);
      signal.addEventListener('abort', () => {
        seen.aborted.push(requestId);
        end.reject(signal.reason);
      });
      return { result: await end.promise, predictionId: undefined };
    },
  };
  const options = { name: 'w', concurrency, leaseMs: 30_000, pollMs: 3_600_000, maxResultBytes: 1000 };
  const worker = new TaskWorker(
    { ...options, works: new Map([[work.name, work]]) },
    {
      ...{ repository, clock, random: () => 0, lastOnlineMs: () => control.lastOnlineMs },
      ...{ log: { warn: () => {}, error: () => {} }, logError: () => {}, onChange: () => {} },
    },
  );
  onTestFinished(async () => {
    const closed = worker.close(0);
    await clock.advance(60_000);
    await closed;
  });
  return { clock, worker, rows, runs, seen, control };
}
