import type { FastifyInstance, FastifyRequest } from 'fastify';

/** What answers have beside the headers that every page may read. */
const exposedHeaders = [
  'allow',
  'cache-status',
  'content-disposition',
  'inference-header-content-length',
  'location',
  'retry-after',
  'server-timing',
  'ratelimit-limit',
  'ratelimit-remaining',
  'ratelimit-reset',
  'x-model-name',
  'x-model-version',
  'x-prediction-id',
  'x-request-id',
];

/**
 * Lets pages of these origins call the API; `*` stands for all. Without any there is no hook, and browsers let no other
 * page read an answer. Keys travel in headers that a page must set itself, so no cookie is ever allowed.
 */
export async function allowOrigins(app: FastifyInstance, origins: readonly string[]): Promise<void> {
  if (origins.length === 0) return;
  const { default: cors } = await import('@fastify/cors');
  const options = {
    origin: origins.includes('*') ? '*' : [...origins],
    methods: ['GET', 'HEAD', 'POST', 'DELETE'],
    exposedHeaders,
    maxAge: 600,
  };
  // The plugin adds a route of OPTIONS for every path; what is no preflight goes on from there to the 404 handler.
  app.addHook('onRoute', (route) => {
    if (route.method === 'OPTIONS' && route.url === '*') route.config = { ...route.config, scope: 'open' };
  });
  await app.register(cors, {
    delegator: (
      request: FastifyRequest,
      use: (error: Error | null, chosen: typeof options & { preflight: boolean }) => void,
    ) => use(null, { ...options, preflight: isPreflight(request) }),
  });
}

function isPreflight({ headers }: FastifyRequest): boolean {
  return headers.origin !== undefined && headers['access-control-request-method'] !== undefined;
}
