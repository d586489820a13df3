import type { ServerUnaryCall } from '@grpc/grpc-js';
import type { Caller } from '../../../../access/caller.ts';
import { type Requester, refuseExceeded } from '../../../../limits/caller-limits.ts';
import type { GrpcServices } from '../services.ts';
import { authenticateCall } from './call-access.ts';
import type { CallContext } from './call-context.ts';

type Call = Pick<ServerUnaryCall<unknown, unknown>, 'metadata' | 'getPeer'>;
type Guards = Pick<GrpcServices, 'keys' | 'limits'>;

/** A call that may be answered. */
export interface Admission {
  /** Undefined when there are no keys. */
  readonly caller: Caller | undefined;
  /** To be called when the call has ended. One that is cancelled does not count any more either. */
  leave(): void;
}

/**
 * Lets a call in as HTTP lets in a request: its rate is counted before its key is refused, so that a limit slows down
 * also those who try keys.
 *
 * @throws AppError `RATE_LIMITED`, `UNAUTHENTICATED` or `TOO_MANY_AT_ONCE`
 */
export async function admitCall(call: Call, { signal }: CallContext, guards: Guards): Promise<Admission> {
  const requester = identify(call, guards);
  const state = await guards.limits?.countRequest(requester);
  if (state !== undefined) refuseExceeded(state);
  const caller = requester.caller ?? authenticateCall(call.metadata, guards.keys);
  let end = guards.limits?.enter(requester);
  if (end === undefined) return { caller, leave: () => {} };
  const leave = () => {
    signal.removeEventListener('abort', leave);
    end?.();
    end = undefined;
  };
  if (signal.aborted) leave();
  else signal.addEventListener('abort', leave);
  return { caller, leave };
}

/**
 * Lets a stream be opened. Its requests are let in one by one by {@link admitCall}; opening it only counts for those
 * who try keys.
 *
 * @throws AppError `RATE_LIMITED` or `UNAUTHENTICATED`
 */
export async function admitStream(call: Call, context: CallContext, guards: Guards): Promise<void> {
  if (guards.keys === undefined || identify(call, guards).caller !== undefined) return;
  const { leave } = await admitCall(call, context, guards);
  leave();
}

function identify(call: Call, { keys }: Guards): Requester {
  return { caller: tryToAuthenticate(call, keys), ip: call.getPeer().replace(/:\d+$/, '') };
}

function tryToAuthenticate({ metadata }: Call, keys: Guards['keys']): Caller | undefined {
  try {
    return authenticateCall(metadata, keys);
  } catch {
    return undefined;
  }
}
