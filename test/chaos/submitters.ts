import { setTimeout as delay } from 'node:timers/promises';

/** What was asked for, by its idempotency key. */
export interface Submissions {
  /** Ids of accepted tasks by their keys. */
  readonly accepted: Map<string, string>;
  /** Keys that got another task when they were sent again. */
  readonly doubled: string[];
  /** Answers that were neither 202 nor a refusal for now, with its code and when to come back. */
  readonly strange: string[];
  /** How often which refusal was given. */
  readonly refused: Map<string, number>;
  /** Requests that had no answer. */
  unanswered: number;
  slowestMs: number;
}

export function noSubmissions(): Submissions {
  return { accepted: new Map(), doubled: [], strange: [], refused: new Map(), unanswered: 0, slowestMs: 0 };
}

/** What is submitted. */
export interface Order {
  readonly path: string;
  readonly body: string;
}

export const smallOrder: Order = {
  path: '/iris/tasks',
  body: JSON.stringify({ sepal_length: 5.1, sepal_width: 3.5, petal_length: 1.4, petal_width: 0.2 }),
};

export interface SubmitOptions {
  readonly count: number;
  readonly addressNow: () => string;
  readonly into: Submissions;
  /** @default a flower */
  readonly order?: Order;
  /** How long to wait after a refusal. @default 20 */
  readonly pauseMs?: number;
}

const patienceMs = 60_000;

/**
 * Submits tasks as fast as they are taken, until the returned function is called; that waits until each key that was sent
 * has been accepted. A key whose answer was lost is sent again, as a client would.
 */
export function submitTasks(
  prefix: string,
  { count, addressNow, into, order = smallOrder, pauseMs = 20 }: SubmitOptions,
) {
  let isStopping = false;
  let number = 0;
  const submitter = async () => {
    while (!isStopping) {
      const key = `${prefix}-${number++}`;
      while (!(await submit(key, addressNow(), order, into))) await delay(pauseMs);
    }
  };
  const all = Promise.all(Array.from({ length: count }, submitter));
  return async () => {
    isStopping = true;
    await all;
  };
}

/** Whether the key was accepted. */
async function submit(key: string, address: string, { path, body }: Order, into: Submissions): Promise<boolean> {
  const startedMs = performance.now();
  try {
    const response = await fetch(new URL(path, address), {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'idempotency-key': key },
      body,
      signal: AbortSignal.timeout(patienceMs),
    });
    const { id, code } = (await response.json()) as { id?: string; code?: string };
    into.slowestMs = Math.max(into.slowestMs, performance.now() - startedMs);
    if (response.status === 202 && id !== undefined) return accept(key, id, into);
    refuse(`${response.status} ${code}, retry-after ${response.headers.get('retry-after')}`, into);
    return false;
  } catch {
    into.unanswered += 1;
    return false;
  }
}

function accept(key: string, id: string, { accepted, doubled }: Submissions): true {
  const before = accepted.get(key);
  if (before !== undefined && before !== id) doubled.push(key);
  accepted.set(key, id);
  return true;
}

function refuse(answer: string, { refused, strange }: Submissions): void {
  refused.set(answer, (refused.get(answer) ?? 0) + 1);
  if (!/^50[37] [A-Z_]{5,}, retry-after [1-9]/.test(answer)) strange.push(answer);
}
