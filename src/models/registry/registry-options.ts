import type { Log } from '../../timing/log.ts';
import type { Artifact, VersionArtifact } from '../artifact.ts';
import type { Assemble } from '../assembled.ts';

export interface RegistryDependencies<Kind extends VersionArtifact = Artifact> {
  readonly assemble: Assemble<Kind>;
  /** Milliseconds that never run backwards. */
  readonly now: () => number;
  readonly log: Pick<Log, 'info' | 'warn'>;
}

export interface SyncOptions {
  /** Load also what has not changed, into new runners. @default false */
  readonly reload?: boolean;
  /** Ends the loads that are under way. @default the end of the registry alone */
  readonly signal?: AbortSignal | undefined;
}
