import { AppError, toAppError } from '../../errors.ts';
import type { Lease } from './lease.ts';

/**
 * Leases a member of a graph: a client that asks for one model must not be told that there is no other.
 *
 * @throws AppError `MODEL_NOT_READY` that names the member
 */
export function leaseMember(name: string, acquire: () => Lease): Lease {
  try {
    return acquire();
  } catch (thrown) {
    const cause = toAppError(thrown);
    if (cause.kind !== 'not_found') throw cause;
    throw new AppError('MODEL_NOT_READY', {
      message: `The model ${name} is not ready: ${cause.message}`,
      retryAfterSeconds: 1,
      cause,
    });
  }
}
