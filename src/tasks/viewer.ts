import type { FastifyRequest } from 'fastify';
import { maySeeOthers } from '../http/authorization.ts';
import type { Viewer } from './service.ts';

/** Who asks: a key sees its own tasks, one that may do everything and a server without keys see all. */
export function viewerOf(request: FastifyRequest): Viewer {
  return { owner: request.caller?.id ?? '', seesAll: maySeeOthers(request) };
}
