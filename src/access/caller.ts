import { AppError } from '../errors.ts';
import type { Scope } from './scope.ts';

/** Who asks, as the key says. */
export interface Caller {
  /** Public part of the key. */
  readonly id: string;
  readonly name: string;
  readonly scopes: ReadonlySet<Scope>;
  readonly models: ReadonlySet<string> | 'all';
  /** Most requests in a minute; undefined: what holds for every caller. */
  readonly ratePerMinute: number | undefined;
  /** Most requests at the same time; undefined: what holds for every caller. */
  readonly concurrency: number | undefined;
}

/** Whether a caller may use a model, and be told of it. Every caller may where there are no keys. */
export function mayUseModel(caller: Pick<Caller, 'models'> | undefined, model: string): boolean {
  return caller === undefined || caller.models === 'all' || caller.models.has(model);
}

/** The models that a caller may use; undefined: all, whichever there will be. */
export function modelsOf(caller: Pick<Caller, 'models'> | undefined): readonly string[] | undefined {
  return caller === undefined || caller.models === 'all' ? undefined : [...caller.models];
}

/**
 * Refuses what the key does not allow. A key for some models only may do nothing that is not about one of them, so
 * `model` must be given wherever there is one.
 *
 * @throws AppError `FORBIDDEN`
 */
export function authorize(caller: Caller, scope: Scope, model?: string): void {
  const { id, scopes, models } = caller;
  if (!scopes.has(scope)) {
    throw new AppError('FORBIDDEN', {
      message: `The key ${id} has no scope "${scope}"; it has: ${[...scopes].join(', ') || 'none'}`,
      received: [...scopes],
      expected: scope,
    });
  }
  if (models === 'all') return;
  if (model !== undefined && models.has(model)) return;
  // It may be the default model, whose name the request does not have.
  const what = model === undefined ? 'what concerns every model' : 'the one asked for';
  throw new AppError('FORBIDDEN', {
    message: `The key ${id} is for the models ${[...models].join(', ') || 'none'}, not for ${what}`,
    received: model,
    expected: [...models],
  });
}
