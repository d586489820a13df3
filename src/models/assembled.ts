import type { Engine } from '../inference/engine.ts';
import type { Predictor } from '../inference/predictor.ts';
import type { Artifact, VersionArtifact } from './artifact.ts';
import type { Manifest } from './manifest.ts';
import type { Members } from './registry/lease.ts';
import type { FaceReport } from './version-face.ts';

/** A version that is to be loaded. */
export interface VersionToAssemble<Kind extends VersionArtifact = Artifact> {
  readonly name: string;
  readonly manifest: Manifest;
  readonly artifact: Kind;
  /** Ends the load. @default never */
  readonly signal?: AbortSignal;
}

/** What answers for a version. */
export interface Assembled {
  readonly predictor: Predictor;
  /** Undefined for a predictor without runners. */
  readonly engine?: Engine;
  /** Class names by output that the files of the version have; those of its manifest go before them. @default none */
  readonly labels?: Manifest['labels'];
  /** What was found of a face. @default none was looked for */
  readonly face?: FaceReport;
  /** Releases what the version was loaded from; to be called when the predictor has closed. */
  readonly release?: () => Promise<void>;
}

/** @throws AppError `MODEL_LOAD_FAILED`, or `MODEL_NOT_READY` when a member is not */
export type Assemble<Kind extends VersionArtifact = Artifact> = (
  version: VersionToAssemble<Kind>,
  members: Members,
) => Promise<Assembled>;
