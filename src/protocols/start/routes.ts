import type { ZodTypeProvider } from '@fastify/type-provider-zod';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { mayListModels, maySeeModel } from '../../http/admission/authorization.ts';
import { securePages } from '../../http/answer/secure-headers.ts';
import { addVary } from '../../http/answer/vary.ts';
import { modelState } from '../../http/routes/models.ts';
import type { Registry } from '../../models/registry/registry.ts';
import { curlOf, type Face } from './curl.ts';
import { type ModelEntry, pagePolicy, type StartPage, writeStartPage } from './page.ts';
import { prefersPage } from './prefers-page.ts';

export interface StartOptions {
  readonly registry: Registry;
  /** Those that are served at the moment. */
  readonly domains: () => readonly Face[];
  readonly version: string;
  /** Whether requests need an API key. */
  readonly needsKey: boolean;
  readonly docsPublic: boolean;
}

/**
 * `GET /`: a page for browsers that leads to the documentation and the models, and for all others what the clients of
 * KServe V1 take for the liveness of the server: https://kserve.github.io/website (V1 protocol).
 */
export async function startRoute(app: FastifyInstance, options: StartOptions): Promise<void> {
  const json = z.object({ status: z.literal('alive') });
  securePages(app);
  app.withTypeProvider<ZodTypeProvider>().get('/', {
    config: { scope: 'open' },
    schema: {
      tags: ['v1'],
      summary: 'Is the server alive? As KServe V1 asks',
      description: 'Answers a page when `Accept` asks for `text/html`.',
      response: {
        200: {
          description: 'It is',
          content: { 'application/json': { schema: json }, 'text/html': { schema: z.string() } },
        },
      },
    },
    handler: (request, reply) => {
      addVary(reply, 'Accept');
      if (!prefersPage(request.headers.accept)) return { status: 'alive' } as const;
      reply.type('text/html; charset=utf-8').header('content-security-policy', pagePolicy);
      return writeStartPage(startPage(request, options));
    },
  });
}

function startPage(
  request: FastifyRequest,
  { version, registry, domains, needsKey, docsPublic }: StartOptions,
): StartPage {
  const origin = `${request.protocol}://${request.host || `localhost:${request.socket.localPort}`}`;
  const entry = (model: ReturnType<Registry['list']>[number]): ModelEntry => {
    const served = model.served;
    const face = domains().find((domain) => domain.model === model.name);
    return { name: model.name, ...modelState(model), curl: curlOf(model.name, served, face, { origin, needsKey }) };
  };
  const models = mayListModels(request, needsKey)
    ? registry
        .list()
        .filter(({ name }) => maySeeModel(request, name))
        .map(entry)
    : undefined;
  return { version, showsDocs: docsPublic || !needsKey || request.caller !== undefined, models };
}
