import { createHash } from 'node:crypto';
import { serialize } from 'node:v8';
import type { TaskOrder } from '../http/prediction/task-desk.ts';
import type { DeferredContext } from '../serving/deferred-work.ts';
import { newTimeOrderedId } from '../storage/time-ordered-id.ts';
import type { NewTask } from './task.ts';

/** What can be wished of a task beside its input. */
export interface TaskOptions {
  readonly priority: number;
  readonly delaySeconds: number;
  readonly retries: number;
  readonly ttlSeconds: number | undefined;
  readonly webhook: string | undefined;
  readonly idempotencyKey: string | undefined;
}

/**
 * A task of an order, with its input as bytes.
 *
 * @param resultTtlSeconds how long a finished task is kept when the options do not say
 */
export function newTask(
  order: TaskOrder,
  options: TaskOptions,
  { caller, resultTtlSeconds }: { caller: DeferredContext['caller']; resultTtlSeconds: number },
): NewTask & { readonly input: Buffer } {
  const input = serialize(order.input);
  const { work, model, instances } = order;
  return {
    id: newTimeOrderedId(Date.now()),
    ...{ work, model, instances },
    owner: caller?.id ?? '',
    ownerName: caller?.name ?? '',
    ...options,
    ttlSeconds: options.ttlSeconds ?? resultTtlSeconds,
    fingerprint: fingerprint(order, input, options),
    inputBytes: input.byteLength,
    input,
  };
}

/** What was asked for, whatever it was asked with. */
function fingerprint({ work, model }: TaskOrder, input: Buffer, options: TaskOptions): Buffer {
  const { idempotencyKey: _, ...asked } = options;
  return createHash('sha256')
    .update(JSON.stringify({ work, model, ...asked }))
    .update(input)
    .digest();
}
