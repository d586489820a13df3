import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { AppError } from '../../errors.ts';
import type { Binding, BoundStep } from '../../models/assembled.ts';
import { mermaidOf } from '../../models/graph/mermaid.ts';
import type { LoadedVersion } from '../../models/registry/loaded-version.ts';
import type { Registry } from '../../models/registry/registry.ts';
import { maySeeModel } from '../admission/authorization.ts';
import { declareScope } from '../admission/route-scope.ts';
import { problemResponses } from '../answer/problem.ts';

const memberSchema = z.object({
  model: z.string(),
  version: z.string(),
  state: z.enum(['LOADING', 'READY', 'UNLOADING', 'UNAVAILABLE']),
});

/** How a model is made of others. */
export const graphSchema = z.object({
  steps: z
    .array(
      z.object({
        name: z.string(),
        kind: z.enum(['model', 'switch', 'combine']),
        needs: z.array(z.string()).describe('Steps that it reads from, or input'),
        members: z.array(memberSchema).describe('Versions of models that it may ask'),
      }),
    )
    .describe('Each after those that it needs'),
  outputs: z.record(z.string(), z.string()).describe('Where each output comes from, as step.output'),
  stale: z
    .string()
    .optional()
    .describe('Why it does not fit what its members are now; it stays with their versions from before'),
});

const mermaidMediaType = 'text/vnd.mermaid';
const query = z.object({ format: z.enum(['json', 'mermaid']).default('json') });

/** `GET /models/{name}/graph`: how a model is made of others, as JSON or as a flow chart. */
export function modelGraphRoute(app: FastifyInstance, { registry }: { readonly registry: Registry }): void {
  declareScope(app, 'infer');
  app.get<{ Params: { name: string }; Querystring: z.output<typeof query> }>('/models/:name/graph', {
    schema: {
      tags: ['models'],
      summary: 'How a model is made of others',
      params: z.object({ name: z.string() }),
      querystring: query,
      response: {
        200: {
          description: 'The graph',
          content: {
            'application/json': { schema: graphSchema },
            [mermaidMediaType]: { schema: z.string() },
          },
        },
        ...problemResponses('MODEL_NOT_FOUND', 'GRAPH_NOT_FOUND', 'VALIDATION_FAILED'),
      },
    },
    handler: (request, reply) => {
      const maySee: MaySee = (name) => maySeeModel(request, name);
      const model = registry.get(request.params.name);
      const loaded = model.served ?? model.versions[0];
      const { binding } = loaded ?? {};
      if (binding === undefined) throw noGraph(request.params.name, loaded);
      if (request.query.format === 'json') return describeGraph(registry, binding, maySee);
      return reply
        .type(`${mermaidMediaType}; charset=utf-8`)
        .serializer((text: string) => text)
        .send(mermaidOf(seenSteps(binding, maySee), binding.outputs));
    },
  });
}

/** Whether who asks may know of a model. */
export type MaySee = (model: string) => boolean;

/** The graph as `GET /models` shows it: members that the caller has no right to are left out. */
export function describeGraph(registry: Registry, binding: Binding, maySee: MaySee): z.input<typeof graphSchema> {
  const { outputs, stale } = binding;
  return {
    steps: seenSteps(binding, maySee).map(({ name, kind, needs, members }) => ({
      name,
      kind,
      needs: [...needs],
      members: members.map(({ name: model, version }) => ({
        model,
        version,
        state: stateOf(registry, model, version),
      })),
    })),
    outputs: { ...outputs },
    ...(stale !== undefined && { stale: maySeeAll(binding, maySee) ? stale.message : 'it does not fit its members' }),
  };
}

function seenSteps({ steps }: Binding, maySee: MaySee): readonly BoundStep[] {
  return steps.map((step) => ({ ...step, members: step.members.filter(({ name }) => maySee(name)) }));
}

function stateOf(registry: Registry, name: string, version: string): LoadedVersion['state'] {
  const found = registry.find(name)?.versions.find((loaded) => loaded.version === version);
  return found?.state ?? 'UNAVAILABLE';
}

function noGraph(name: string, loaded: LoadedVersion | undefined): AppError {
  const why = loaded?.kind === 'graph' ? `it is not loaded: ${loaded.reason}` : 'it is not made of other models';
  return new AppError('GRAPH_NOT_FOUND', { message: `The model ${name} has no graph: ${why}`, received: name });
}

/** Faults name members. */
function maySeeAll({ members }: Binding, maySee: MaySee): boolean {
  return members.every(({ name }) => maySee(name));
}
