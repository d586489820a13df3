import { AppError } from '../../errors.ts';
import type { OpenStorage } from '../../storage/storage.ts';
import type { NewTask } from '../task.ts';
import { findByIdempotencyKey } from './task-reads.ts';

/** What a submission came to: a new task, or the one that has its idempotency key. */
export interface Submitted {
  readonly id: string;
  readonly isNew: boolean;
}

/** @throws AppError what the submission came to, if it is one */
export function accepted(outcome: Submitted | AppError): Submitted {
  if (outcome instanceof AppError) throw outcome;
  return outcome;
}

/** What is handed in again under an idempotency key: the earlier task if it asks for the same. */
export async function earlierTask(db: OpenStorage['db'], task: NewTask): Promise<Submitted | AppError> {
  const earlier = await findByIdempotencyKey(db, task.owner, task.idempotencyKey ?? '');
  if (earlier?.fingerprint.equals(task.fingerprint)) return { id: earlier.task.id, isNew: false };
  return new AppError('IDEMPOTENCY_CONFLICT', {
    message: `The Idempotency-Key ${JSON.stringify(task.idempotencyKey)} belongs to a task that asks for something else`,
    received: task.idempotencyKey,
  });
}
