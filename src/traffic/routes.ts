import type { ZodTypeProvider } from '@fastify/type-provider-zod';
import type { FastifyInstance, FastifyReply, FastifyRequest, FastifySchemaCompiler } from 'fastify';
import type { z } from 'zod';
import { AppError } from '../errors.ts';
import { declareScope } from '../http/admission/route-scope.ts';
import { problemResponses } from '../http/answer/problem.ts';
import { zodValidatorCompiler } from '../http/answer/zod-compilers.ts';
import { readIfMatch } from './if-match.ts';
import {
  eventsQuery,
  removeQuery,
  type TrafficState,
  trafficBody,
  trafficEvents,
  trafficParams,
  trafficState,
} from './schemas.ts';
import type { ChangeTerms, TrafficService } from './service.ts';

const errorsOfChange = ['MODEL_NOT_FOUND', 'VALIDATION_FAILED', 'TRAFFIC_CONFLICT', 'STORAGE_UNAVAILABLE'] as const;
const tags = ['models'];

/** `GET`, `PUT` and `DELETE /models/{name}/traffic`, and `GET /models/{name}/traffic/events`. */
export function trafficRoutes(app: FastifyInstance, { traffic }: { readonly traffic: TrafficService }): void {
  declareScope(app, 'admin');
  app.setValidatorCompiler(trafficValidator);
  const typed = app.withTypeProvider<ZodTypeProvider>();
  const url = '/models/:name/traffic';

  typed.get(url, {
    schema: {
      tags,
      summary: 'How requests that name no version are split',
      params: trafficParams,
      response: { 200: trafficState.describe('What holds now'), ...problemResponses('MODEL_NOT_FOUND', 'INTERNAL') },
    },
    handler: async ({ params }, reply) => withEtag(reply, await traffic.state(params.name)),
  });

  typed.put(url, {
    schema: {
      tags,
      summary: 'Store how requests that name no version are split',
      description:
        'It goes before `traffic` of `model.json`. Answers when every version of the split is loaded. `If-Match` has the `etag` of what it replaces, or `*`; without it, nothing may be stored.',
      params: trafficParams,
      body: trafficBody,
      response: {
        200: trafficState.describe('What holds now'),
        ...problemResponses(...errorsOfChange, 'TRAFFIC_INVALID', 'MALFORMED_JSON', 'MODEL_NOT_READY', 'INTERNAL'),
      },
    },
    handler: async (request, reply) => {
      const { why, ...settings } = request.body;
      return answer(reply, () => traffic.put(request.params.name, settings, termsOf(request, why)));
    },
  });

  typed.delete(url, {
    schema: {
      tags,
      summary: 'End what is stored, so that model.json holds again',
      description: '`If-Match` as for `PUT`. That nothing is stored is no error.',
      params: trafficParams,
      querystring: removeQuery,
      response: {
        200: trafficState.describe('What holds now'),
        ...problemResponses(...errorsOfChange, 'INTERNAL'),
      },
    },
    handler: async (request, reply) =>
      answer(reply, () => traffic.remove(request.params.name, termsOf(request, request.query.why))),
  });

  typed.get(`${url}/events`, {
    schema: {
      tags,
      summary: 'Who has changed the stored split, when and why',
      params: trafficParams,
      querystring: eventsQuery,
      response: {
        200: trafficEvents.describe('The last changes'),
        ...problemResponses('MODEL_NOT_FOUND', 'VALIDATION_FAILED', 'STORAGE_UNAVAILABLE', 'INTERNAL'),
      },
    },
    handler: ({ params, query }) => traffic.events(params.name, query.limit),
  });
}

/** What is wrong with the document has a code of its own. */
const trafficValidator: FastifySchemaCompiler<z.ZodType> = (route) => {
  const validate = zodValidatorCompiler(route);
  if (route.httpPart !== 'body') return validate;
  return (body: unknown) => {
    const result = validate(body);
    if (!hasError(result)) return result;
    const { message, faults, faultCount } = result.error;
    return { error: new AppError('TRAFFIC_INVALID', { message, faults, faultCount, cause: result.error }) };
  };
};

function hasError(result: unknown): result is { readonly error: AppError } {
  return typeof result === 'object' && result !== null && 'error' in result && result.error instanceof AppError;
}

function termsOf({ headers, caller }: FastifyRequest, why: string | undefined): ChangeTerms {
  const who = caller === undefined ? undefined : { id: caller.id, name: caller.name };
  return { expected: readIfMatch(headers['if-match']), who, why };
}

/** Also an error says what is stored by now. */
async function answer(reply: FastifyReply, work: () => Promise<TrafficState>): Promise<TrafficState> {
  try {
    return withEtag(reply, await work());
  } catch (thrown) {
    if (thrown instanceof AppError && thrown.code === 'TRAFFIC_CONFLICT' && typeof thrown.expected === 'string') {
      reply.header('etag', `"${thrown.expected}"`);
    }
    throw thrown;
  }
}

function withEtag(reply: FastifyReply, state: TrafficState): TrafficState {
  if (state.etag !== undefined) reply.header('etag', `"${state.etag}"`);
  return state;
}
