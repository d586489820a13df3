import { AppError } from '../../errors.ts';
import { chooseArm, type Routing } from '../traffic/choose-arm.ts';
import type { Lease } from './lease.ts';
import type { RegisteredModel } from './registered-model.ts';
import { sameSignature } from './same-signature.ts';

/**
 * Holds the version that answers a request which names none.
 *
 * @throws AppError `MODEL_NOT_READY`
 */
export function acquireServed(model: RegisteredModel, routing: Routing | undefined): Lease {
  const { served, versions, error, name, traffic } = model;
  const arm =
    routing === undefined || traffic === undefined
      ? undefined
      : chooseArm(name, traffic, { routing, isReady: isArm(model) });
  if (arm !== undefined) {
    const chosen = versions.find(({ version }) => version === arm.version);
    if (chosen !== undefined) return chosen.acquire(arm.reason);
  }
  const loaded = served ?? versions[0];
  if (loaded !== undefined) return loaded.acquire();
  throw new AppError('MODEL_NOT_READY', {
    message: `The model ${name} is not ready: ${error?.message ?? 'it has no version'}`,
    retryAfterSeconds: 1,
    cause: error,
  });
}

/** Versions among which requests are split, as far as they can answer. */
export function armsOf(model: RegisteredModel | undefined): readonly string[] {
  if (model?.traffic === undefined) return [];
  return Object.keys(model.traffic.split).filter(isArm(model));
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
  const isReady = isArm(model);
  return versions
    .filter((version) => !isReady(version))
    .map((version) => {
      const loaded = model.versions.find((candidate) => candidate.version === version);
      if (loaded === undefined) return { version, why: `there is no version ${version}` };
      const other = `version ${version} has other inputs or outputs than version ${model.served?.version}`;
      return {
        version,
        why: loaded.reason === undefined ? other : `version ${version} is not ready: ${loaded.reason}`,
      };
    });
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
