import type { FastifyRequest } from 'fastify';
import type { Viewer } from './service.ts';

/** Who asks: a key sees its own tasks, one that may do everything and a server without keys see all. */
export function viewerOf({ caller }: FastifyRequest): Viewer {
  if (caller === undefined) return { owner: '', seesAll: true };
  return { owner: caller.id, seesAll: caller.scopes.has('admin') };
}
