import { z } from 'zod';
import { queryNumber } from '../http/terms/query-number.ts';
import { isStorable, storableExpectation, storableText } from '../storage/storable-text.ts';
import type { Task } from './task.ts';

const yearSeconds = 365 * 86_400;

const seconds = (min: number, max: number) => z.number().int().min(min).max(max);

/** What can be wished of a task, in the query of the route that takes it. */
export const taskOptionsQuery = z.object({
  priority: queryNumber(z.number().int().min(-100).max(100)).default(0).describe('Tasks with a higher one begin first'),
  delay_s: queryNumber(seconds(0, 30 * 86_400))
    .default(0)
    .describe('Begin no sooner than after so many seconds'),
  retries: queryNumber(z.number().int().min(0).max(20))
    .default(8)
    .describe('How often to try again after an error that may pass, such as 503; 8 last two to four minutes'),
  ttl_s: queryNumber(seconds(1, yearSeconds))
    .optional()
    .describe('Seconds that the finished task is kept; unset: TASK_RESULT_TTL_S'),
  webhook: z
    .url({ protocol: /^https?$/ })
    .max(2000)
    .refine(isStorable, storableExpectation)
    .optional()
    .describe('Called with a POST when the task is finished'),
});

export const taskStates = ['queued', 'running', 'succeeded', 'failed', 'cancelled'] as const;

export const taskSchema = z.object({
  id: z.uuid(),
  state: z.enum(taskStates),
  model: z.string(),
  work: z.string().describe('What does it: domain/… or model/…'),
  priority: z.int(),
  progress: z.object({ done: z.int(), total: z.int() }).describe('Instances'),
  attempts: z.int().describe('How often it was begun'),
  retries: z.int().describe('How often it may fail in a way that may pass'),
  prediction_id: z.uuid().optional().describe('By which the prediction log has what the result was made of'),
  error: z
    .object({
      code: z.string(),
      message: z.string(),
      errors: z
        .array(
          z.object({ location: z.array(z.union([z.string(), z.number()])), type: z.string(), message: z.string() }),
        )
        .optional(),
    })
    .optional()
    .describe('Why it failed, or why it is tried again'),
  created_at: z.iso.datetime(),
  due_at: z.iso.datetime().describe('When it may begin'),
  started_at: z.iso.datetime().optional(),
  finished_at: z.iso.datetime().optional(),
  expires_at: z.iso.datetime().optional().describe('When it is deleted'),
  url: z.string(),
  result_url: z.string(),
});

export const taskParams = z.object({ id: z.uuid() });

export const taskListQuery = z.object({
  state: z.enum(taskStates).optional(),
  model: storableText(128).optional(),
  limit: queryNumber(z.number().int().min(1).max(500)).default(50),
  cursor: z.uuid().optional().describe('next_cursor of the page before'),
});

export const taskListSchema = z.object({
  tasks: z.array(taskSchema).describe('The newest first'),
  next_cursor: z.uuid().optional().describe('Absent on the last page'),
});

/** A task as HTTP shows it. */
export function describeTask(task: Task): z.input<typeof taskSchema> {
  const { id, state, model, work, priority, instances, attempt, retries, predictionId, error } = task;
  return {
    ...{ id, state, model, work, priority },
    progress: { done: state === 'succeeded' ? instances : 0, total: instances },
    attempts: attempt,
    retries,
    ...(predictionId !== undefined && { prediction_id: predictionId }),
    ...(error !== undefined && state !== 'succeeded' && { error: describeError(error) }),
    created_at: task.createdAt.toISOString(),
    due_at: task.dueAt.toISOString(),
    ...(task.startedAt !== undefined && { started_at: task.startedAt.toISOString() }),
    ...(task.finishedAt !== undefined && { finished_at: task.finishedAt.toISOString() }),
    ...(task.expiresAt !== undefined && { expires_at: task.expiresAt.toISOString() }),
    url: taskUrl(id),
    result_url: `${taskUrl(id)}/result`,
  };
}

/** Path of a task. */
export function taskUrl(id: string): string {
  return `/tasks/${id}`;
}

function describeError({ code, message, faults }: NonNullable<Task['error']>) {
  return {
    code,
    message,
    ...(faults !== undefined && { errors: faults.map((fault) => ({ ...fault, location: [...fault.location] })) }),
  };
}
