import type { FastifyInstance } from 'fastify';

const exposedHeaders = [
  'retry-after',
  'server-timing',
  'ratelimit-limit',
  'ratelimit-remaining',
  'ratelimit-reset',
  'x-model-name',
  'x-model-version',
  'x-request-id',
];

/**
 * Lets pages of these origins call the API; `*` stands for all. Without any there is no hook, and browsers let no other
 * page read an answer. Keys travel in headers that a page must set itself, so no cookie is ever allowed.
 */
export async function allowOrigins(app: FastifyInstance, origins: readonly string[]): Promise<void> {
  if (origins.length === 0) return;
  const { default: cors } = await import('@fastify/cors');
  await app.register(cors, {
    origin: origins.includes('*') ? '*' : [...origins],
    methods: ['GET', 'HEAD', 'POST', 'DELETE'],
    exposedHeaders,
    maxAge: 600,
  });
}
