import type { ErrorCode, Fault } from '../errors.ts';
import type { TaskState } from '../storage/tables/tasks.ts';

export type { TaskState } from '../storage/tables/tasks.ts';

const finalStates: ReadonlySet<TaskState> = new Set(['succeeded', 'failed', 'cancelled']);

/** Whether nothing happens to the task any more. */
export function isFinal(state: TaskState): boolean {
  return finalStates.has(state);
}

/** Why a task failed, or why it is tried again. */
export interface TaskError {
  readonly code: ErrorCode;
  readonly message: string;
  readonly faults?: readonly Fault[];
}

/** A task as those see it who wait for it. */
export interface Task {
  readonly id: string;
  readonly work: string;
  readonly model: string;
  readonly owner: string;
  readonly state: TaskState;
  readonly priority: number;
  readonly instances: number;
  readonly attempt: number;
  readonly retries: number;
  readonly predictionId: string | undefined;
  readonly error: TaskError | undefined;
  readonly createdAt: Date;
  readonly dueAt: Date;
  readonly startedAt: Date | undefined;
  readonly finishedAt: Date | undefined;
  readonly expiresAt: Date | undefined;
}

/** A task that is asked for. */
export interface NewTask {
  readonly id: string;
  readonly work: string;
  readonly model: string;
  readonly owner: string;
  readonly ownerName: string;
  readonly priority: number;
  readonly instances: number;
  readonly retries: number;
  readonly ttlSeconds: number;
  readonly delaySeconds: number;
  readonly webhook: string | undefined;
  readonly idempotencyKey: string | undefined;
  readonly fingerprint: Buffer;
  readonly inputBytes: number;
  /** Undefined: in a file. */
  readonly input: Buffer | undefined;
}

/** A task that a worker has claimed. */
export interface ClaimedTask {
  readonly id: string;
  readonly work: string;
  readonly model: string;
  readonly owner: string;
  readonly ownerName: string;
  readonly attempt: number;
  readonly failures: number;
  readonly retries: number;
  /** Undefined: in a file. */
  readonly input: Buffer | undefined;
  /** Whether a webhook is to be called at its end. */
  readonly hasWebhook: boolean;
}

/** How a claim ended for good. */
export interface TaskEnd {
  readonly id: string;
  /** The claim that ended. */
  readonly attempt: number;
  readonly state: 'succeeded' | 'failed';
  /** JSON; undefined without a result, and where it is in a file. */
  readonly result: Buffer | undefined;
  readonly predictionId: string | undefined;
  readonly error: TaskError | undefined;
}
