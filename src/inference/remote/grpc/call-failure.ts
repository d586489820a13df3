import { type ServiceError, status } from '@grpc/grpc-js';
import { late, overloaded, refused, saidBy, unreachable, unusable } from '../failures.ts';
import type { RemoteFailure } from '../remote-failure.ts';

/** What the status of a call stands for. */
export function callFailure(error: ServiceError): RemoteFailure {
  const { code, details, metadata } = error;
  // What the library makes up itself comes without metadata.
  const isAnswered = Object.keys(metadata?.getMap() ?? {}).length > 0;
  switch (code) {
    case status.INVALID_ARGUMENT:
    case status.OUT_OF_RANGE:
      return refused(details);
    case status.DEADLINE_EXCEEDED:
      return late();
    case status.UNAVAILABLE:
      return isAnswered
        ? overloaded(details, secondsOf(metadata))
        : unreachable(causeOf(details), 'unreachable', error);
    case status.RESOURCE_EXHAUSTED:
      return isAnswered
        ? overloaded(details, secondsOf(metadata))
        : unusable(saidBy(details) ?? 'it is too large', error);
    default: {
      const said = saidBy(details);
      return unusable(`status ${status[code] ?? code}${said === undefined ? '' : `, ${said}`}`, error);
    }
  }
}

function secondsOf(metadata: ServiceError['metadata']): number | undefined {
  const [pushback] = metadata.get('grpc-retry-pushback-ms');
  const ms = typeof pushback === 'string' && pushback !== '' ? Number(pushback) : Number.NaN;
  return Number.isFinite(ms) && ms >= 0 ? ms / 1000 : undefined;
}

/** The library names addresses in its words, which are not for clients. */
function causeOf(details: string): string {
  return /\b(E[A-Z]{4,})\b/.exec(details)?.[1] ?? 'the connection could not be made or was closed';
}
