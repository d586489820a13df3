import type { Metadata } from '@grpc/grpc-js';
import { authorize, type Caller } from '../../../../access/caller.ts';
import type { KeyRing } from '../../../../access/key-ring.ts';
import type { Scope } from '../../../../access/scope.ts';

/** Who may make a call when there are API keys: every caller, or keys with a scope and for the model of the request. */
export type CallAccess<Request> = 'open' | { readonly scope: Scope; readonly model?: (request: Request) => string };

/**
 * Who calls, by the metadata `authorization` or `x-api-key`; undefined when there are no keys, and every caller may do
 * everything.
 *
 * @throws AppError `UNAUTHENTICATED`
 */
export function authenticateCall(metadata: Metadata, keys: KeyRing | undefined): Caller | undefined {
  const text = (name: string) => {
    const [value] = metadata.get(name);
    return typeof value === 'string' ? value : undefined;
  };
  return keys?.authenticate({ authorization: text('authorization'), 'x-api-key': text('x-api-key') });
}

/**
 * Refuses a request that is not for the caller. An empty name of a model means all of them.
 *
 * @throws AppError `FORBIDDEN`
 */
export function authorizeCall<Request>(
  caller: Caller | undefined,
  access: CallAccess<Request>,
  request: Request,
): void {
  if (caller === undefined || access === 'open') return;
  const model = access.model?.(request);
  authorize(caller, access.scope, model === '' ? undefined : model);
}
