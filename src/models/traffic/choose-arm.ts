import { identityOf, type Routing } from './identity.ts';
import { type Arm, rendezvous } from './rendezvous.ts';
import type { TrafficSettings } from './traffic-settings.ts';

export type { Routing };

/** Why a version was chosen: by what sticks, by the id of the request, or since the arm it was to be is not ready. */
export type RoutingReason = 'sticky' | 'random' | 'arm_unavailable';

export interface ChosenArm {
  readonly version: string;
  readonly reason: RoutingReason;
}

/**
 * The version that answers a request. A version that is not ready is left out; identities of the others keep theirs.
 *
 * @returns undefined where no version of the split is ready, and where there is no split
 */
export function chooseArm(
  model: string,
  { split = {}, stick }: TrafficSettings,
  { routing, isReady }: { readonly routing: Routing; readonly isReady: (version: string) => boolean },
): ChosenArm | undefined {
  const { identity, isSticky } = identityOf(stick, routing);
  const arms: readonly Arm[] = Object.entries(split).map(([version, weight]) => ({ version, weight }));
  const ready = arms.filter(({ version }) => isReady(version));
  const chosen = rendezvous(model, identity, ready);
  if (chosen === undefined) return undefined;
  const { version } = chosen;
  if (ready.length < arms.length && rendezvous(model, identity, arms)?.version !== version) {
    return { version, reason: 'arm_unavailable' };
  }
  return { version, reason: isSticky ? 'sticky' : 'random' };
}
