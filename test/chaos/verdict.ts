import { setTimeout as delay } from 'node:timers/promises';
import type { Submissions } from './submitters.ts';

interface ListedTask {
  readonly id: string;
  readonly state: string;
  readonly attempts: number;
  readonly finished_at?: string;
  readonly error?: unknown;
}

/** What has become of what was accepted. */
export interface Verdict {
  readonly accepted: number;
  readonly finished: number;
  /** Finished without a result, and why. */
  readonly failed: readonly string[];
  /** Accepted, and not there or not finished. */
  readonly lost: readonly string[];
  /** There more often than asked for, or finished more than once. */
  readonly doubled: readonly string[];
  /** Begun more than once. */
  readonly takenOver: number;
}

/** Waits until no task is unfinished; gives false after `patienceMs`. */
export async function allFinished(addressNow: () => string, patienceMs: number): Promise<boolean> {
  const deadlineMs = performance.now() + patienceMs;
  while (performance.now() < deadlineMs) {
    const open = await Promise.all(['queued', 'running'].map((state) => firstPage(addressNow(), state)));
    if (open.every((tasks) => tasks?.length === 0)) return true;
    await delay(100);
  }
  return false;
}

/** Looks at every task there is. What was finished in an earlier verdict must be as it was then. */
async function judge(
  address: string,
  { accepted, doubled }: Submissions,
  endsSoFar: Map<string, string>,
): Promise<Verdict> {
  const tasks = await everyTask(address);
  const twice = [...doubled];
  const asked = new Set(accepted.values());
  for (const task of tasks.values()) {
    const end = `${task.state} in attempt ${task.attempts} at ${task.finished_at}`;
    const before = endsSoFar.get(task.id);
    if (before !== undefined && before !== end) twice.push(`${task.id}: ${before}, then ${end}`);
    endsSoFar.set(task.id, end);
    if (!asked.has(task.id)) twice.push(`${task.id} belongs to no key`);
  }
  const states = [...asked].map((id) => [id, tasks.get(id)?.state] as const);
  const failed = states
    .filter(([, state]) => state === 'failed')
    .map(([id]) => `${id} failed: ${JSON.stringify(tasks.get(id)?.error)}`);
  const lost = states.filter(([, state]) => state !== 'failed' && state !== 'succeeded').map(([id]) => id);
  const takenOver = [...tasks.values()].filter(({ attempts }) => attempts > 1).length;
  return { accepted: asked.size, finished: asked.size - lost.length, failed, lost, doubled: twice, takenOver };
}

/** The same, once the storage has come back. */
export async function judgeWhenReady(address: string, ...rest: [Submissions, Map<string, string>]): Promise<Verdict> {
  await whenTasksAreReady(address);
  return judge(address, ...rest);
}

/** Waits until the storage of a server can be asked. */
export async function whenTasksAreReady(address: string): Promise<void> {
  for (;;) {
    const response = await fetch(new URL('/tasks?limit=1', address));
    await response.body?.cancel();
    if (response.status === 200) return;
    await delay(100);
  }
}

async function everyTask(address: string): Promise<Map<string, ListedTask>> {
  const found = new Map<string, ListedTask>();
  for (let cursor = ''; ; ) {
    const response = await fetch(new URL(`/tasks?limit=500${cursor}`, address));
    const page = (await response.json()) as { tasks: ListedTask[]; next_cursor?: string };
    for (const task of page.tasks) found.set(task.id, task);
    if (page.next_cursor === undefined) return found;
    cursor = `&cursor=${page.next_cursor}`;
  }
}

async function firstPage(address: string, state: string): Promise<ListedTask[] | undefined> {
  try {
    const response = await fetch(new URL(`/tasks?state=${state}&limit=1`, address));
    if (response.status !== 200) return undefined;
    return ((await response.json()) as { tasks: ListedTask[] }).tasks;
  } catch {
    return undefined;
  }
}
