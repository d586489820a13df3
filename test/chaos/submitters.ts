import { setTimeout as delay } from 'node:timers/promises';

/** What was asked for, by its idempotency key. */
export interface Submissions {
  /** Ids of accepted tasks by their keys. */
  readonly accepted: Map<string, string>;
  /** Keys that got another task when they were sent again. */
  readonly doubled: string[];
  /** Answers that were neither 202 nor a refusal for now. */
  readonly strange: string[];
}

const flower = { sepal_length: 5.1, sepal_width: 3.5, petal_length: 1.4, petal_width: 0.2 };

/**
 * Submits tasks as fast as they are taken, until the returned function is called; that waits until each key that was sent
 * has been accepted. A key whose answer was lost is sent again, as a client would.
 */
export function submitTasks(prefix: string, count: number, addressNow: () => string, into: Submissions) {
  let isStopping = false;
  let number = 0;
  const submitter = async () => {
    while (!isStopping) {
      const key = `${prefix}-${number++}`;
      while (!(await submit(key, addressNow(), into))) await delay(20);
    }
  };
  const all = Promise.all(Array.from({ length: count }, submitter));
  return async () => {
    isStopping = true;
    await all;
  };
}

/** Whether the key was accepted. */
async function submit(key: string, address: string, { accepted, doubled, strange }: Submissions): Promise<boolean> {
  try {
    const response = await fetch(new URL('/iris/tasks', address), {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'idempotency-key': key },
      body: JSON.stringify(flower),
      signal: AbortSignal.timeout(15_000),
    });
    const { id } = (await response.json()) as { id?: string };
    if (response.status === 503) return false;
    if (response.status !== 202 || id === undefined) {
      strange.push(`${response.status} for ${key}`);
      return false;
    }
    const before = accepted.get(key);
    if (before !== undefined && before !== id) doubled.push(key);
    accepted.set(key, id);
    return true;
  } catch {
    return false;
  }
}
