import { createHash } from 'node:crypto';

/** A version, and its part of the requests in relation to the others. */
export interface Arm {
  readonly version: string;
  readonly weight: number;
}

/**
 * The arm of an identity by weighted rendezvous hashing: the same on every instance and after every restart; a change of
 * weights moves only the identities that it must. With `u` = (first 48 bits of SHA-256(model ∥ 0 ∥ identity ∥ 0 ∥ version)
 * + 0.5) ÷ 2^48, the greatest −weight ÷ ln(u) wins.
 *
 * Source: Schindelhauer and Schomaker, Weighted distributed hash tables, SPAA 2005 (the logarithmic method).
 *
 * @returns undefined where no arm has a weight above 0
 */
export function rendezvous<Candidate extends Arm>(
  model: string,
  identity: string,
  arms: readonly Candidate[],
): Candidate | undefined {
  let best: Candidate | undefined;
  let bestScore = 0;
  for (const arm of arms) {
    const score = -arm.weight / Math.log(uniform(model, identity, arm.version));
    if (score <= bestScore) continue;
    best = arm;
    bestScore = score;
  }
  return best;
}

/** A number between 0 and 1 that is the same for the same texts, and as good as random for others. */
export function uniform(model: string, identity: string, version: string): number {
  const digest = createHash('sha256').update(`${model}\0${identity}\0${version}`).digest();
  return (digest.readUIntBE(0, 6) + 0.5) / 2 ** 48;
}
