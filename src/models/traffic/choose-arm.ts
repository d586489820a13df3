import type { PredictContext } from '../../inference/predictor.ts';
import { type Arm, rendezvous } from './rendezvous.ts';
import type { TrafficSettings } from './traffic-settings.ts';

/** What a version is chosen by where a request names none. */
export type Routing = Pick<PredictContext, 'requestId' | 'caller' | 'headers'>;

/** Why a version was chosen: by what sticks, by the id of the request, or since the arm it was to be is not ready. */
export type RoutingReason = 'sticky' | 'random' | 'arm_unavailable';

export interface ChosenArm {
  readonly version: string;
  readonly reason: RoutingReason;
}

/** Longest value of a header that sticks; what is beyond it does not count. */
const mostCharacters = 256;

/**
 * The version that answers a request. A version that is not ready is left out; identities of the others keep theirs.
 *
 * @returns undefined where no version of the split is ready
 */
export function chooseArm(
  model: string,
  { split, stick }: TrafficSettings,
  { routing, isReady }: { readonly routing: Routing; readonly isReady: (version: string) => boolean },
): ChosenArm | undefined {
  const sticky = stickyIdentity(stick, routing);
  const identity = sticky ?? routing.requestId;
  const arms: readonly Arm[] = Object.entries(split).map(([version, weight]) => ({ version, weight }));
  const ready = arms.filter(({ version }) => isReady(version));
  const chosen = rendezvous(model, identity, ready);
  if (chosen === undefined) return undefined;
  const { version } = chosen;
  if (ready.length < arms.length && rendezvous(model, identity, arms)?.version !== version) {
    return { version, reason: 'arm_unavailable' };
  }
  return { version, reason: sticky === undefined ? 'random' : 'sticky' };
}

/** What a request sticks by; undefined where it has nothing of it. */
function stickyIdentity(stick: TrafficSettings['stick'], { caller, headers }: Routing): string | undefined {
  for (const by of stick) {
    const value = by === 'key' ? caller?.id : headers?.get(by.slice('header:'.length));
    if (value !== undefined && value !== '') return value.slice(0, mostCharacters);
  }
  return undefined;
}
