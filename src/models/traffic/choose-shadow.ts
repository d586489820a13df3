import { identityOf, type Routing } from './identity.ts';
import { uniform } from './rendezvous.ts';
import type { ShadowSettings, TrafficSettings } from './traffic-settings.ts';

/**
 * The shadow that gets a copy of a request, by the hash of its identity, so that the choice can be computed again. The
 * version of the shadow is hashed with the word before it: a split hashes the bare number, and of its own clients
 * the shadow would get all or none.
 *
 * @returns undefined where there is no shadow, and for requests beyond its share
 */
export function chooseShadow(
  model: string,
  { shadow, stick }: TrafficSettings,
  routing: Routing,
): ShadowSettings | undefined {
  if (shadow === undefined || shadow.share === 0) return undefined;
  const { identity } = identityOf(stick, routing);
  return shadow.share === 1 || uniform(model, identity, `shadow ${shadow.version}`) < shadow.share ? shadow : undefined;
}

/** The version that gets nothing but copies; undefined where there is none, or requests are split to it too. */
export function shadowAlone(traffic: TrafficSettings | undefined): string | undefined {
  const version = traffic?.shadow?.version;
  return version === undefined || traffic?.split?.[version] !== undefined ? undefined : version;
}
