import { AppError } from '../../errors.ts';
import { chooseArm, type Routing } from '../traffic/choose-arm.ts';
import { chooseShadow, shadowAlone } from '../traffic/choose-shadow.ts';
import type { ShadowSettings } from '../traffic/traffic-settings.ts';
import type { Lease } from './lease.ts';
import type { LoadedVersion } from './loaded-version.ts';
import type { RegisteredModel } from './registered-model.ts';
import { sameSignature } from './same-signature.ts';

/**
 * Holds the version that answers a request which names none.
 *
 * @throws AppError `MODEL_NOT_READY`
 */
export function acquireServed(model: RegisteredModel, routing: Routing | undefined): Lease {
  const { versions, error, name, traffic } = model;
  const arm =
    routing === undefined || traffic === undefined
      ? undefined
      : chooseArm(name, traffic, { routing, isReady: isArm(model) });
  const chosen = arm === undefined ? undefined : versions.find(({ version }) => version === arm.version);
  const loaded = chosen ?? answering(model);
  if (loaded !== undefined) return loaded.acquire(chosen && arm?.reason, shadowOf(model, loaded.version, routing));
  throw new AppError('MODEL_NOT_READY', {
    message: `The model ${name} is not ready: ${error?.message ?? 'it has no version'}`,
    retryAfterSeconds: 1,
    cause: error,
  });
}

/** The version that answers whoever asks; while none is loaded, the highest that is not there for copies alone. */
function answering({ served, versions, traffic }: RegisteredModel): LoadedVersion | undefined {
  const hidden = shadowAlone(traffic);
  return served ?? versions.find(({ version }) => version !== hidden) ?? versions[0];
}

/** What is to get a copy of the request; undefined while that could not take it. */
function shadowOf(model: RegisteredModel, version: string, routing: Routing | undefined): ShadowSettings | undefined {
  const { name, traffic } = model;
  if (routing === undefined || traffic?.shadow === undefined || traffic.shadow.version === version) return undefined;
  const shadow = chooseShadow(name, traffic, routing);
  return shadow !== undefined && isArm(model)(shadow.version) ? shadow : undefined;
}

/** Versions among which requests are split, as far as they can answer. */
export function armsOf(model: RegisteredModel | undefined): readonly string[] {
  if (model?.traffic === undefined) return [];
  return Object.keys(model.traffic.split ?? {}).filter(isArm(model));
}

/** Why versions of the split get no requests, now that what there is has been loaded. */
export function idleArms(model: RegisteredModel): readonly string[] {
  const weights = Object.entries(model.traffic?.split ?? {});
  const wanted = weights.flatMap(([version, weight]) => (weight > 0 ? [version] : []));
  return whyNoArms(model, wanted).map(({ why }) => why);
}

/** Which of the versions can be no part of a split as they are, and why. */
export function whyNoArms(
  model: RegisteredModel,
  versions: readonly string[],
): readonly { readonly version: string; readonly why: string }[] {
  return versions.flatMap((version) => {
    const why = whyIdle(model, version);
    return why === undefined ? [] : [{ version, why }];
  });
}

/** Why the shadow gets no copies of requests; undefined if it gets them, and where there is none. */
export function idleShadow(model: RegisteredModel): string | undefined {
  const { served, traffic } = model;
  const version = traffic?.shadow?.version;
  if (version === undefined) return undefined;
  if (served?.version === version && traffic?.split === undefined)
    return `version ${version} answers the requests itself`;
  return whyIdle(model, version);
}

function whyIdle(model: RegisteredModel, version: string): string | undefined {
  if (isArm(model)(version)) return undefined;
  const loaded = model.versions.find((candidate) => candidate.version === version);
  if (loaded === undefined) return `there is no version ${version}`;
  const other = `version ${version} has other inputs or outputs than version ${model.served?.version}`;
  return loaded.reason === undefined ? other : `version ${version} is not ready: ${loaded.reason}`;
}

/** Clients must not see by what they get which arm they are on: all have the signature of the version that they know. */
function isArm({ served, versions }: RegisteredModel): (version: string) => boolean {
  const known = served?.predictor?.signature;
  return (version) => {
    const { predictor, state } = versions.find((candidate) => candidate.version === version) ?? {};
    if (predictor === undefined || state !== 'READY') return false;
    return known === undefined || sameSignature(known, predictor.signature);
  };
}
