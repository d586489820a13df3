import type { FastifyRequest } from 'fastify';
import { maySeeOthers, visibleModels } from '../http/admission/authorization.ts';
import type { Viewer } from './visible-task.ts';

/**
 * Who asks: a key sees its own tasks, one that may do everything and a server without keys see all. A key for some models
 * sees the tasks of these models alone, also of its own, which may be older than what it may do now.
 */
export function viewerOf(request: FastifyRequest): Viewer {
  return { owner: request.caller?.id ?? '', seesAll: maySeeOthers(request), models: visibleModels(request) };
}
