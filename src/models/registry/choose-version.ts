import type { VersionFace } from '../version-face.ts';

/** What is known of a version that may answer. */
interface Candidate {
  /** Undefined while it is not loaded. */
  readonly predictor: unknown;
  readonly face?: VersionFace | undefined;
}

/**
 * The version that answers where a request names none: the highest that is loaded and that clients of the face of the one
 * before it can use; undefined while none is loaded.
 *
 * @param versions highest first
 */
export function chooseVersion<Version extends Candidate>(versions: readonly Version[]): Version | undefined {
  return versions.reduceRight<Version | undefined>(
    (chosen, next) => (next.predictor !== undefined && canFollow(chosen, next) ? next : chosen),
    undefined,
  );
}

function canFollow(chosen: Candidate | undefined, { face }: Candidate): boolean {
  if (chosen?.face === undefined) return true;
  return face !== undefined && (face.canFollow?.(chosen.face) ?? true);
}
