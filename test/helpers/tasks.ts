import { expect, vi } from 'vitest';
import { postJson } from './server.ts';

/** A task as the routes tell of it, as far as tests look. */
export interface TaskBody {
  readonly id: string;
  readonly state: string;
  readonly model: string;
  readonly attempts: number;
  readonly progress: { readonly done: number; readonly total: number };
  readonly error?: { readonly code: string; readonly message: string };
  readonly [field: string]: unknown;
}

export const flower = { sepal_length: 5.1, sepal_width: 3.5, petal_length: 1.4, petal_width: 0.2 };

/** Gives status, headers and the parsed answer. */
export async function getJson(address: string, path: string, init: RequestInit = {}) {
  const response = await fetch(new URL(path, address), init);
  return { status: response.status, headers: response.headers, body: await response.json() };
}

/** Submits a task, which must be taken, and gives its id. */
export async function submitTask(
  address: string,
  path: string,
  body: unknown,
  headers: Record<string, string> = {},
): Promise<string> {
  const accepted = await postJson(address, path, body, headers);
  expect(accepted, JSON.stringify(accepted.body)).toMatchObject({ status: 202, body: { state: 'queued' } });
  const { id } = accepted.body as { id: string };
  expect(accepted.headers.get('location')).toBe(`/tasks/${id}`);
  return id;
}

/** The task, once it is finished. */
export async function finishedTask(address: string, id: string, headers: Record<string, string> = {}) {
  const find = async () => (await getJson(address, `/tasks/${id}`, { headers })).body as TaskBody;
  await expect.poll(async () => (await find()).state).toMatch(/succeeded|failed|cancelled/);
  return find();
}

/** Waits until the storage of a server takes tasks. */
export async function whenTasksAreReady(address: string, headers: Record<string, string> = {}): Promise<void> {
  const look = async () => {
    const { status } = await getJson(address, '/tasks', { headers });
    if (status !== 200) throw new Error(`GET /tasks answers ${status}`);
  };
  await vi.waitFor(look, { timeout: 100_000 });
}
