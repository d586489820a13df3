import type { ZodTypeProvider } from '@fastify/type-provider-zod';
import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { declareScope } from '../http/admission/route-scope.ts';
import { problemResponses } from '../http/answer/problem.ts';
import { sendTaskEvents } from './event-stream.ts';
import { describeTask, taskListQuery, taskListSchema, taskParams, taskSchema } from './schemas.ts';
import type { TaskService } from './service.ts';
import { viewerOf } from './viewer.ts';

const taskErrors = ['TASK_NOT_FOUND', 'VALIDATION_FAILED', 'STORAGE_UNAVAILABLE', 'INTERNAL'] as const;

/** `/tasks`: what becomes of what other routes have taken. */
export function taskRoutes(app: FastifyInstance, { tasks }: { tasks: TaskService }): void {
  declareScope(app, 'infer');
  const typed = app.withTypeProvider<ZodTypeProvider>();
  // A key sees what it has submitted, which was about models that it may use.
  const config = { filtersModels: true };
  app.addHook('preClose', (done) => {
    tasks.endStreams();
    done();
  });

  typed.get('/tasks', {
    config,
    schema: {
      tags: ['tasks'],
      summary: 'Background tasks, the newest first',
      querystring: taskListQuery,
      response: {
        200: taskListSchema.describe('A page'),
        ...problemResponses('VALIDATION_FAILED', 'STORAGE_UNAVAILABLE', 'INTERNAL'),
      },
    },
    handler: async (request) => {
      const { cursor: before, limit, state, model } = request.query;
      const page = await tasks.list({ state, model, before, limit }, viewerOf(request));
      const last = page.length === limit ? page.at(-1) : undefined;
      return { tasks: page.map(describeTask), ...(last !== undefined && { next_cursor: last.id }) };
    },
  });

  typed.get('/tasks/:id', {
    config,
    schema: {
      tags: ['tasks'],
      summary: 'One background task',
      params: taskParams,
      response: { 200: taskSchema.describe('The task'), ...problemResponses(...taskErrors) },
    },
    handler: async (request) => describeTask(await tasks.get(request.params.id, viewerOf(request))),
  });

  typed.get('/tasks/:id/result', {
    config,
    schema: {
      tags: ['tasks'],
      summary: 'What the predict route would have answered',
      params: taskParams,
      response: {
        200: z.any().describe('The result'),
        ...problemResponses(...taskErrors, 'TASK_WITHOUT_RESULT'),
      },
    },
    handler: async (request, reply) => {
      const { task, json } = await tasks.result(request.params.id, viewerOf(request));
      if (task.predictionId !== undefined) reply.header('x-prediction-id', task.predictionId);
      return reply.type('application/json').send(json);
    },
  });

  typed.get('/tasks/:id/events', {
    config,
    schema: {
      tags: ['tasks'],
      summary: 'The task now and after every change, as server-sent events',
      description: 'Ends with the task. `Last-Event-ID` leaves out the state that is known already.',
      params: taskParams,
      produces: ['text/event-stream'],
      response: problemResponses(...taskErrors),
    },
    handler: (request, reply) => sendTaskEvents(tasks, request.params.id, request, reply),
  });

  typed.delete('/tasks/:id', {
    config,
    schema: {
      tags: ['tasks'],
      summary: 'Cancel a background task that is queued or running',
      params: taskParams,
      response: { 200: taskSchema.describe('The task'), ...problemResponses(...taskErrors, 'TASK_FINISHED') },
    },
    handler: async (request) => describeTask(await tasks.cancel(request.params.id, viewerOf(request))),
  });
}
