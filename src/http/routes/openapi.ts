import swagger, { type FastifyDynamicSwaggerOptions, type SwaggerTransform } from '@fastify/swagger';
import swaggerUi from '@fastify/swagger-ui';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { declareScope } from '../admission/route-scope.ts';
import { problemSchema } from '../answer/problem.ts';
import { securePages } from '../answer/secure-headers.ts';

export type Paths = Readonly<Record<string, Readonly<Record<string, unknown>>>>;

export interface DocumentationOptions {
  readonly version: string;
  /** Whether requests need an API key. */
  readonly needsKey: boolean;
  /** What the document has of the paths of all routes, and beside them, since models come and go; asked for at every request. */
  readonly currentPaths: (documented: Paths, request: FastifyRequest) => Paths;
}

/** Documents every route that is registered later: OpenAPI 3.1 at `/openapi.json`, Swagger UI at `/docs`. */
export async function documentRoutes(app: FastifyInstance, options: DocumentationOptions): Promise<void> {
  const complete = (document: { readonly paths?: Paths }, request: FastifyRequest) => {
    const { paths = {} } = document;
    return { ...document, paths: options.currentPaths(paths, request) };
  };
  const security = options.needsKey ? { security: [{ bearer: [] }, { header: [] }] } : {};
  await app.register(swagger, { openapi: { ...baseDocument(options.version), ...security }, transform: zodTransform });
  await app.register(async (pages) => {
    declareScope(pages, 'docs');
    securePages(pages);
    await pages.register(swaggerUi, {
      routePrefix: '/docs',
      // The other layout has a bar for the addresses of other documents, with a logo whose styles the policy refuses.
      uiConfig: { tryItOutEnabled: true, layout: 'BaseLayout' },
      staticCSP: contentSecurityPolicy,
      theme: { title: 'inferd', favicon: [icon] },
      transformSpecification: complete,
      transformSpecificationClone: false,
    });
  });
  app.get('/openapi.json', { config: { scope: 'docs' }, schema: { hide: true } }, (request) =>
    complete(app.swagger() as { paths?: Paths }, request),
  );
}

/**
 * Swagger UI draws its icons by `data:` URLs. Nothing is upgraded to HTTPS: the page asks only where it came from, and a
 * server without TLS, at any address but localhost, would not answer.
 */
const contentSecurityPolicy = {
  'default-src': "'self'",
  'base-uri': "'self'",
  'form-action': "'self'",
  'frame-ancestors': "'none'",
  'img-src': "'self' data:",
  'object-src': "'none'",
};

const icon = {
  filename: 'icon.svg',
  rel: 'icon',
  type: 'image/svg+xml',
  sizes: 'any',
  content:
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16"><rect width="16" height="16" rx="4" fill="#475569"/></svg>',
};

const securitySchemes = {
  bearer: { type: 'http', scheme: 'bearer', description: 'An API key' },
  header: { type: 'apiKey', in: 'header', name: 'x-api-key', description: 'An API key' },
} as const;

type BaseDocument = NonNullable<FastifyDynamicSwaggerOptions['openapi']>;

function baseDocument(version: string): BaseDocument {
  const schemas = [...sharedSchemas].map(([schema, name]) => [name, jsonSchemaOf(schema, 'output')]);
  return {
    openapi: '3.1.0',
    info: {
      title: 'inferd',
      version,
      description: 'ONNX models over HTTP: typed, documented, validated and batched.',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    components: { schemas: Object.fromEntries(schemas), securitySchemes },
  };
}

type RouteSchema = Parameters<SwaggerTransform>[0]['schema'];

/** Turns the zod schemas of a route into JSON Schemas. */
const zodTransform: SwaggerTransform = ({ schema, url }) => {
  if (schema === undefined) return { schema: { hide: true }, url };
  const { params, querystring, headers, body, response, ...rest } = schema as Record<string, unknown>;
  const transformed = {
    ...rest,
    ...(params !== undefined && { params: toJsonSchema(params, 'input') }),
    ...(querystring !== undefined && { querystring: toJsonSchema(querystring, 'input') }),
    ...(headers !== undefined && { headers: toJsonSchema(headers, 'input') }),
    ...(body !== undefined && { body: toJsonSchema(body, 'input') }),
    ...(response !== undefined && { response: mapValues(response, (one) => toJsonSchema(one, 'output')) }),
  };
  return { schema: transformed as NonNullable<RouteSchema>, url };
};

/** The JSON Schema of a zod schema, or of the zod schemas in an object with a `content` by media type. */
function toJsonSchema(schema: unknown, io: 'input' | 'output'): unknown {
  if (schema instanceof z.ZodType) return zodToJsonSchema(schema, io);
  if (!isObject(schema) || !isObject(schema['content'])) return schema;
  return { ...schema, content: mapValues(schema['content'], (media) => toMedia(media, io)) };
}

/** Examples stand in the JSON Schema, from where @fastify/swagger moves them to where Swagger UI looks for them. */
function toMedia(media: unknown, io: 'input' | 'output'): unknown {
  if (!isObject(media)) return media;
  const schema = toJsonSchema(media['schema'], io);
  const examples = media['examples'];
  return { schema: isObject(schema) && examples !== undefined ? { ...schema, examples } : schema };
}

/** Schemas that many routes use, by their name in the document. */
const sharedSchemas = new Map<z.ZodType, string>([[problemSchema, 'Problem']]);

function zodToJsonSchema(schema: z.ZodType, io: 'input' | 'output') {
  const shared = sharedSchemas.get(schema);
  return shared === undefined ? jsonSchemaOf(schema, io) : { $ref: `#/components/schemas/${shared}` };
}

/** The JSON Schema of what goes in, or comes out, of a zod schema. */
export function jsonSchemaOf(schema: z.ZodType, io: 'input' | 'output') {
  const options = { io, unrepresentable: 'any', reused: 'inline', override: keepDefault } as const;
  const { $schema: _, ...jsonSchema } = z.toJSONSchema(schema, options);
  return jsonSchema;
}

type Override = NonNullable<NonNullable<Parameters<typeof z.toJSONSchema>[1]>['override']>;

/** zod leaves out the default of what it transforms, since it may be of another type; a number of a query is of the same. */
const keepDefault: Override = ({ zodSchema, jsonSchema }) => {
  const { def } = zodSchema._zod;
  if (def.type === 'default' && typeof def.defaultValue === 'number') jsonSchema.default = def.defaultValue;
};

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

function mapValues(object: unknown, map: (value: unknown) => unknown): Record<string, unknown> {
  return Object.fromEntries(Object.entries(object as object).map(([key, value]) => [key, map(value)]));
}
