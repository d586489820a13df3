import type { PredictContext } from '../../inference/predictor.ts';
import type { TrafficSettings } from './traffic-settings.ts';

/** What a version is chosen by where a request names none. */
export type Routing = Pick<PredictContext, 'requestId' | 'caller' | 'headers'>;

/** Longest value of a header that sticks; what is beyond it does not count. */
const mostCharacters = 256;

/** What is hashed of a request: what it sticks by, else its id. */
export function identityOf(
  stick: TrafficSettings['stick'],
  routing: Routing,
): { readonly identity: string; readonly isSticky: boolean } {
  const sticky = stickyIdentity(stick, routing);
  return { identity: sticky ?? routing.requestId, isSticky: sticky !== undefined };
}

/** What a request sticks by; undefined where it has nothing of it. */
function stickyIdentity(stick: TrafficSettings['stick'], { caller, headers }: Routing): string | undefined {
  for (const by of stick) {
    const value = by === 'key' ? caller?.id : headers?.get(by.slice('header:'.length));
    if (value !== undefined && value !== '') return value.slice(0, mostCharacters);
  }
  return undefined;
}
