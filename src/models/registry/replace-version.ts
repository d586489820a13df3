import { type AppError, toAppError, withoutFolders } from '../../errors.ts';
import type { Log } from '../../timing/log.ts';
import type { VersionArtifact } from '../artifact.ts';
import type { Assemble } from '../assembled.ts';
import { isElsewhere } from '../elsewhere.ts';
import type { Manifest } from '../manifest.ts';
import { circleThrough } from './circle-through.ts';
import { madeOfItself } from './dependency-order.ts';
import type { Members } from './lease.ts';
import { LoadedVersion } from './loaded-version.ts';
import { type Entry, logIndependence, putVersion } from './registered-model.ts';
import { discard, refuseNewSignature } from './same-signature.ts';

export interface Replacement<Kind extends VersionArtifact> {
  readonly artifact: Kind;
  readonly manifest: Manifest;
  /** Ends the load. */
  readonly ending: AbortSignal;
}

export interface ReplaceDependencies<Kind extends VersionArtifact> {
  readonly assemble: Assemble<Kind>;
  /** What a version that is made of models leases them by. */
  readonly members: Members;
  /** The end of the registry. */
  readonly closing: AbortSignal;
  /** Milliseconds that never run backwards. */
  readonly now: () => number;
  readonly log: Pick<Log, 'info' | 'warn'>;
}

/**
 * Loads the version and lets it take the place of the loaded one of the same number, which ends after its last lease.
 *
 * @returns why it could not; then the loaded one goes on
 */
export async function replaceVersion<Kind extends VersionArtifact>(
  entry: Entry<Kind>,
  { artifact, manifest, ending }: Replacement<Kind>,
  { assemble, members, closing, now, log }: ReplaceDependencies<Kind>,
): Promise<AppError | undefined> {
  const { name } = entry;
  const { version, kind, fingerprint } = artifact;
  const isBackground = entry.isShadow(version);
  const next = new LoadedVersion({ name, version, kind, manifest, fingerprint, isBackground });
  const previous = entry.versions.find((loaded) => loaded.version === version);
  // One that failed because of another server is tried again and again: until it is there, nothing changes for others.
  const isRetry = previous?.error !== undefined && isElsewhere(previous.error);
  if (previous?.predictor === undefined && !isRetry) putVersion(entry, next);

  const startedMs = now();
  try {
    const assembled = await assemble({ name, manifest, artifact, isBackground, signal: ending }, members);
    await refuseNewSignature(previous, assembled);
    const circle = circleThrough(name, assembled.binding?.members ?? [], members);
    if (circle !== undefined) {
      await discard(assembled);
      throw madeOfItself(circle);
    }
    next.succeed(assembled, now() - startedMs);
  } catch (thrown) {
    const error = toAppError(thrown);
    next.fail(withoutFolders(error));
    if (ending.aborted) return withoutFolders(error);
    if (previous?.predictor !== undefined) previous.keepInPlaceOf(withoutFolders(error));
    else putVersion(entry, next);
    if (isRetry && previous.error?.message === next.error?.message) return next.error;
    const consequence = previous?.predictor === undefined ? '' : '; the loaded one goes on serving';
    log.warn(
      { err: error, model: name, version },
      `Version ${version} of the model ${name} could not be loaded${consequence}`,
    );
    return withoutFolders(error);
  }
  if (closing.aborted) {
    await next.unload();
    return undefined;
  }

  putVersion(entry, next);
  log.info({ model: name, version, load_ms: Math.round(next.loadMs ?? 0), ...logIndependence(next) }, 'Model loaded');
  await previous?.unload();
  return undefined;
}
