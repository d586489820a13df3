import type { FastifyRequest } from 'fastify';
import { z } from 'zod';
import { AppError } from '../errors.ts';
import { problemResponses } from '../http/answer/problem.ts';
import type { TaskDesk } from '../http/prediction/task-desk.ts';
import { malformedHeader } from '../http/terms/malformed-header.ts';
import type { TaskOptions } from './new-task.ts';
import { taskOptionsQuery, taskUrl } from './schemas.ts';
import type { TaskService } from './service.ts';
import { checkWebhookUrl } from './webhook/post.ts';
import type { WebhookSettings } from './webhook/webhook-sender.ts';

const acceptedSchema = z.object({
  id: z.uuid(),
  state: z.literal('queued'),
  url: z.string(),
  result_url: z.string(),
});

const idempotencyHeader = 'idempotency-key';

/**
 * Submits the orders of routes as tasks.
 *
 * @param mayAsk throws where who asks may not have the model of that name answer
 */
export function createTaskSubmitter(
  service: TaskService,
  webhooks: WebhookSettings,
  mayAsk: (caller: FastifyRequest['caller'], model: string) => void,
): TaskDesk {
  return {
    query: taskOptionsQuery,
    headers: z.object({
      [idempotencyHeader]: z.string().min(1).max(200).optional().describe('The same key again gives the same task'),
      'x-request-id': z.string().max(128).optional().describe('Names the request in the reply and in the log'),
    }),
    responses: {
      202: acceptedSchema.describe('The task; `Location` is where it is'),
      ...problemResponses(
        'MALFORMED_JSON',
        'MALFORMED_HEADER',
        'BODY_TOO_LARGE',
        'UNSUPPORTED_MEDIA_TYPE',
        'IDEMPOTENCY_CONFLICT',
        'VALIDATION_FAILED',
        'WEBHOOK_REFUSED',
        'TASK_QUOTA_EXCEEDED',
        'TASKS_FULL',
        'STORAGE_UNAVAILABLE',
        'STORAGE_FULL',
        'INTERNAL',
      ),
    },
    async accept(request, reply, order) {
      mayAsk(request.caller, order.model);
      const options = readOptions(request, webhooks);
      const { id } = await service.submit(order, options, request.caller);
      reply.code(202).header('location', taskUrl(id));
      return { id, state: 'queued', url: taskUrl(id), result_url: `${taskUrl(id)}/result` };
    },
  };
}

function readOptions(request: FastifyRequest, { secret, allowPrivate }: WebhookSettings): TaskOptions {
  const { priority, delay_s, retries, ttl_s, webhook } = taskOptionsQuery.parse(request.query);
  if (webhook !== undefined) {
    if (secret === undefined) throw webhooksAreOff();
    checkWebhookUrl(new URL(webhook), allowPrivate);
  }
  const idempotencyKey = readIdempotencyKey(request);
  return { priority, delaySeconds: delay_s, retries, ttlSeconds: ttl_s, webhook, idempotencyKey };
}

function readIdempotencyKey({ headers }: FastifyRequest): string | undefined {
  const value = headers[idempotencyHeader];
  if (value === undefined || (typeof value === 'string' && /^[\x20-\x7e]{1,200}$/.test(value))) return value;
  throw malformedHeader(idempotencyHeader, value, '1 to 200 printable characters');
}

function webhooksAreOff(): AppError {
  const message = 'The server signs no webhooks: WEBHOOK_SECRET is not set';
  const faults = [{ location: ['query', 'webhook'], type: 'invalid_value', message }];
  return new AppError('WEBHOOK_REFUSED', { message, faults });
}
