import { AppError } from '../errors.ts';
import type { Scope } from './scope.ts';

/** Who asks, as the key says. */
export interface Caller {
  /** Public part of the key. */
  readonly id: string;
  readonly name: string;
  readonly scopes: ReadonlySet<Scope>;
  readonly models: ReadonlySet<string> | 'all';
  /** Most requests in a minute; undefined: what holds for everybody. */
  readonly ratePerMinute: number | undefined;
  /** Most requests at the same time; undefined: what holds for everybody. */
  readonly concurrency: number | undefined;
}

export function mayUseModel({ models }: Caller, model: string): boolean {
  return models === 'all' || models.has(model);
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
  // Metrics are figures of the whole server.
  if (models === 'all' || scope === 'metrics') return;
  if (model !== undefined && models.has(model)) return;
  const what = model === undefined ? 'what concerns every model' : `the model ${JSON.stringify(model)}`;
  throw new AppError('FORBIDDEN', {
    message: `The key ${id} is for the models ${[...models].join(', ') || 'none'}, not for ${what}`,
    received: model,
    expected: [...models],
  });
}
