import type { FastifyInstance, FastifyRequest } from 'fastify';
import { authorize, type Caller, mayUseModel, modelsOf } from '../../access/caller.ts';
import type { KeyRing } from '../../access/key-ring.ts';
import { AppError } from '../../errors.ts';
import type { Readiness } from '../../serving/readiness.ts';
import { modelOfRequest } from './route-scope.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** Who asks; undefined without a valid key. */
    caller: Caller | undefined;
  }
  interface FastifyInstance {
    /**
     * Whether a request that was let in would be now, for answers that go on for long: its key may have been revoked since,
     * or its time may be over.
     */
    stillAllows(request: FastifyRequest): boolean;
  }
}

export interface AuthorizationOptions {
  readonly keys: KeyRing;
  /** Whether the documentation is open to every caller. */
  readonly docsPublic: boolean;
}

type Problems = Readiness['problems'];

const reasonsNeedKey = 'it is told to callers with an API key';

/** Identifies the caller, and refuses no request yet: limits come in between, so that they hold for wrong keys as well. */
export function identifyCallers(app: FastifyInstance, keys: KeyRing): void {
  app.addHook('onRequest', (request, _reply, done) => {
    request.caller = callerOf(request, keys);
    done();
  });
}

/** Refuses every request whose route is not for its caller, before its body is read. */
export function authorizeCallers(app: FastifyInstance, { keys, docsPublic }: AuthorizationOptions): void {
  const check = (request: FastifyRequest, known?: Caller) => {
    const { scope, filtersModels } = request.routeOptions.config;
    const isOpen = scope === 'open' || (scope === 'docs' && docsPublic);
    if (isOpen || request.is404) return;
    const caller = known ?? keys.authenticate(request.headers);
    if (scope === 'docs') return;
    if (scope === undefined)
      throw new AppError('FORBIDDEN', { message: 'The route declares no scope, so no key may use it' });
    if (filtersModels === true) authorize({ ...caller, models: 'all' }, scope);
    else authorize(caller, scope, modelOfRequest(request));
  };
  app.addHook('onRequest', (request, _reply, done) => {
    check(request, request.caller);
    done();
  });
  app.stillAllows = (request) => {
    try {
      check(request);
      return true;
    } catch {
      return false;
    }
  };
}

/** Whether the answer to a request may show what other keys have asked for; else only what its own key has. */
export function maySeeOthers({ caller }: FastifyRequest): boolean {
  return caller === undefined || caller.scopes.has('admin');
}

/** Whether an open route may list models to who asks, as `GET /models` would. */
export function mayListModels({ caller }: FastifyRequest, needsKey: boolean): boolean {
  return !needsKey || caller?.scopes.has('infer') === true;
}

/** Why a server is not ready, as far as who asks may know: without a key nothing of models and what they are made of. */
export function tellProblems(request: FastifyRequest, problems: Problems, needsKey: boolean): Problems {
  if (problems.length > 0 && needsKey && request.caller === undefined) return [{ reason: reasonsNeedKey }];
  const seen = problems.filter(({ model }) => model === undefined || maySeeModel(request, model));
  return seen.length > 0 || problems.length === 0 ? seen : [{ reason: 'another model is not ready' }];
}

/** Whether the answer to a request may mention a model. */
export function maySeeModel({ caller }: FastifyRequest, model: string): boolean {
  return mayUseModel(caller, model);
}

/** The models that the answer to a request may mention; undefined: all. */
export function visibleModels({ caller }: FastifyRequest): readonly string[] | undefined {
  return modelsOf(caller);
}

function callerOf({ headers }: FastifyRequest, keys: KeyRing): Caller | undefined {
  if (headers.authorization === undefined && headers['x-api-key'] === undefined) return undefined;
  try {
    return keys.authenticate(headers);
  } catch {
    return undefined;
  }
}
